#include <doctest/doctest.h>

#include "s3api/ops/object_headers.h"

namespace s3api {
namespace {

std::optional<objstore::UnixNanos> mtime(const char* text) {
    return posix_metadata({{"x-amz-meta-mtime", text}}).mtime;
}

TEST_CASE("times in metadata keep their fraction, before 1970 too, and never overflow") {
    CHECK(mtime("1.5") == 1'500'000'000);
    CHECK(mtime("-1.5") == -1'500'000'000);
    CHECK(mtime("-0.25") == -250'000'000);
    CHECK(mtime("7") == 7'000'000'000);
    CHECK(mtime("7ns") == 7);
    CHECK(mtime("9223372036.9") == std::nullopt);
    CHECK(mtime("-9223372036.9") == std::nullopt);
    CHECK(mtime("99999999999999999999") == std::nullopt);
    CHECK(mtime("1.5x") == std::nullopt);
}

}  // namespace
}  // namespace s3api
