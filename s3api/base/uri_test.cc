#include "s3api/base/uri.h"

#include <string>

#include <doctest/doctest.h>

using namespace s3api;

TEST_CASE("a query keeps the order, the raw bytes and whether a value was given") {
    const auto query = Query::parse("uploads&prefix=a%2Fb+c&x=&&%ff=1&uploads=2");
    REQUIRE(query.ok());
    const auto& all = query->all();
    REQUIRE(all.size() == 5);
    CHECK(all[0].name == "uploads");
    CHECK(!all[0].has_value);
    CHECK(query->find("prefix") == "a/b c");
    CHECK(all[2].has_value);
    CHECK(all[2].value.empty());
    CHECK(all[3].name == "\xff");
    CHECK(query->find("uploads") == "");
    CHECK(!query->has("Prefix"));
}

TEST_CASE("broken escapes and too many parameters are refused") {
    CHECK(Query::parse("a=%").error().error() == S3Error::invalid_uri);
    CHECK(Query::parse("a=%4").error().error() == S3Error::invalid_uri);
    CHECK(Query::parse("%g1=2").error().error() == S3Error::invalid_uri);
    std::string many;
    for (std::size_t i = 0; i < Query::kParametersMax; ++i) many += "a&";
    CHECK(Query::parse(many).ok());
    CHECK(Query::parse(many + "a").error().error() == S3Error::invalid_argument);
}

TEST_CASE("encoding leaves the unreserved characters alone and decoding undoes it") {
    CHECK(percent_encode("a/b c~+%\xe2", Slash::keep) == "a/b%20c~%2B%25%E2");
    CHECK(percent_encode("a/b", Slash::encode) == "a%2Fb");
    std::string every;
    for (int c = 0; c < 256; ++c) every.push_back(static_cast<char>(c));
    CHECK(percent_decode(percent_encode(every, Slash::encode), false) == every);
    CHECK(percent_decode("a+b", false) == "a+b");
}

TEST_CASE("headers are found in any case and the first one wins") {
    Headers headers;
    headers.add({"Host", "a"});
    headers.add({"HOST", "b"});
    CHECK(headers.find("host") == "a");
    CHECK(headers.count("hOST") == 2);
    CHECK(!headers.has("hos"));
}
