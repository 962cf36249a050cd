#include "s3api/ops/content_type.h"

#include <doctest/doctest.h>

using namespace s3api;

TEST_CASE("the last extension says the type, in any case") {
    CHECK(content_type_of("photo.JPG") == "image/jpeg");
    CHECK(content_type_of("a.b/backup.tar.gz") == "application/gzip");
    CHECK(content_type_of("README").empty());
    CHECK(content_type_of("x.unheard-of").empty());
    CHECK(content_type_of("page.html/x").empty());
    CHECK(content_type_of("end.").empty());
}
