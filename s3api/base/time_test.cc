#include "s3api/base/time.h"

#include <doctest/doctest.h>

using namespace s3api;

namespace {
constexpr objstore::UnixNanos kMay24 = 1369353600 * kNanosPerSecond;  // 2013-05-24T00:00:00Z
}

TEST_CASE("a time is written in each form") {
    const auto time = kMay24 + 3723 * kNanosPerSecond + 456'789'012;
    CHECK(format_http_date(time) == "Fri, 24 May 2013 01:02:03 GMT");
    CHECK(format_iso8601(time) == "2013-05-24T01:02:03.456Z");
    CHECK(format_amz_date(time) == "20130524T010203Z");
    CHECK(format_http_date(-5) == "Thu, 01 Jan 1970 00:00:00 GMT");
}

TEST_CASE("what was written is read back") {
    CHECK(parse_amz_date("20130524T000000Z") == kMay24);
    CHECK(parse_http_date("Fri, 24 May 2013 00:00:00 GMT") == kMay24);
    CHECK(parse_http_date("Friday, 24-May-13 00:00:00 GMT") == kMay24);
    CHECK(parse_http_date("Fri May 24 00:00:00 2013") == kMay24);
    CHECK(parse_http_date("Sat Jun  1 00:00:00 2013") == kMay24 + 8 * 86400 * kNanosPerSecond);
    CHECK(parse_iso8601("2013-05-24T00:00:00Z") == kMay24);
    CHECK(parse_iso8601("2013-05-24T00:00:00.250Z") == kMay24 + 250'000'000);
    CHECK(parse_iso8601("2013-05-24T00:00:00.2504321Z") == kMay24 + 250'000'000);
}

TEST_CASE("no other text is a time") {
    for (const char* text : {"",
                             "20130524",
                             "20130524T000000",
                             "20130524T000000Zx",
                             "20131324T000000Z",
                             "20130230T000000Z",
                             "20130524T240000Z",
                             "2013052-T000000Z",
                             "99990524T000000Z",
                             "00000524T000000Z"}) {
        CAPTURE(text);
        CHECK(!parse_amz_date(text));
        CHECK(!parse_http_date(text));
        CHECK(!parse_iso8601(text));
    }
    CHECK(!parse_http_date("Fri, 24 May 2013 00:00:00 UTC"));
    CHECK(!parse_http_date("Fri, 24 Moy 2013 00:00:00 GMT"));
    CHECK(!parse_iso8601("2013-05-24T00:00:00.Q"));
    CHECK(!parse_iso8601("2013-05-24T00:00:00.1"));
}
