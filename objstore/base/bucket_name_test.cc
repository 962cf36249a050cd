#include "objstore/base/bucket_name.h"

#include <string>

#include <doctest/doctest.h>

namespace objstore {
namespace {

TEST_CASE("bucket names follow S3's rules") {
    for (const char* good : {"abc", "a.b-c", "1photos", "my.bucket.2024", "0-0"}) {
        CAPTURE(good);
        CHECK(valid_bucket_name(good));
    }
    CHECK(valid_bucket_name(std::string(63, 'a')));
    for (const char* bad : {"",
                            "ab",
                            "Abc",
                            "a_b",
                            "-abc",
                            "abc-",
                            ".abc",
                            "abc.",
                            "a..b",
                            "192.168.0.1",
                            "xn--abc",
                            "sthree-abc",
                            "abc-s3alias",
                            "a/b",
                            "a b"}) {
        CAPTURE(bad);
        CHECK_FALSE(valid_bucket_name(bad));
    }
    CHECK_FALSE(valid_bucket_name(std::string(64, 'a')));
}

}  // namespace
}  // namespace objstore
