#include "s3api/ops/byte_range.h"

#include <doctest/doctest.h>

namespace s3api {
namespace {

struct Expected {
    const char* header;
    std::uint64_t first;
    std::uint64_t length;
};

TEST_CASE("ranges are cut to the object") {
    for (const Expected& e : {Expected{"bytes=0-0", 0, 1},
                              Expected{"bytes=2-4", 2, 3},
                              Expected{"bytes=5-", 5, 5},
                              Expected{"bytes=-3", 7, 3},
                              Expected{"bytes=-99", 0, 10},
                              Expected{"bytes=9-99", 9, 1},
                              Expected{"BYTES=1-99999999999999999999999", 1, 9}}) {
        CAPTURE(e.header);
        const auto range = parse_range(e.header, 10);
        REQUIRE(range.ok());
        REQUIRE(range->has_value());
        CHECK((*range)->first == e.first);
        CHECK((*range)->length == e.length);
    }
}

TEST_CASE("what is no single range is ignored") {
    for (const char* header : {"",
                               "bytes",
                               "bytes=",
                               "bytes=-",
                               "bytes=a-b",
                               "bytes=4-2",
                               "bytes=0-1,3-4",
                               "items=0-1",
                               "bytes=--1",
                               "bytes=1-2x"}) {
        CAPTURE(header);
        const auto range = parse_range(header, 10);
        REQUIRE(range.ok());
        CHECK_FALSE(range->has_value());
    }
    CHECK_FALSE(parse_range(std::nullopt, 10)->has_value());
}

TEST_CASE("ranges beyond the end can not be satisfied") {
    for (const char* header :
         {"bytes=10-", "bytes=10-11", "bytes=-0", "bytes=99999999999999999999-"}) {
        CAPTURE(header);
        CHECK(parse_range(header, 10).error().error() == S3Error::invalid_range);
    }
    CHECK(parse_range("bytes=0-", 0).error().error() == S3Error::invalid_range);
    CHECK(parse_range("bytes=-1", 0).error().error() == S3Error::invalid_range);
}

TEST_CASE("copy ranges must be whole and within the source") {
    CHECK(parse_copy_range("bytes=0-9", 10)->length == 10);
    for (const char* header : {"bytes=0-10", "bytes=5-", "bytes=-5", "0-5", "bytes=5-4", ""}) {
        CAPTURE(header);
        CHECK(parse_copy_range(header, 10).error().error() == S3Error::invalid_argument);
    }
}

}  // namespace
}  // namespace s3api
