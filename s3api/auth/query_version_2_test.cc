#include "s3api/auth/query_version_2.h"

#include <string>

#include <doctest/doctest.h>

#include "s3api/auth/auth_test_util.h"

using namespace s3api;

namespace {

// All signatures here were made by Python's hmac, but for the one that Amazon published.
constexpr const char* kExpires = "&Expires=1369440000";  // 20130525T000000Z

struct Fixture {
    ExampleStore store;
    FixedClock clock{"20130524T000000Z"};
    Authenticator authenticator{{.region = "us-east-1"}, store, clock};

    bool accepts(const TestMessage& message) const {
        return message.authenticate(authenticator).ok();
    }
    S3Error error(const TestMessage& message) const {
        const auto result = message.authenticate(authenticator);
        REQUIRE(!result.ok());
        return result.error().error();
    }
};

std::string signed_by(std::string_view signature) {
    return "AWSAccessKeyId=" + std::string(kExampleKey) +
           "&Signature=" + percent_encode(signature, Slash::encode) + kExpires;
}

TestMessage get_k() {
    return {"GET", "/b/k", signed_by("LZtdBQD3oD4TWz+UNZMzo16oT7E="), {{"Host", "h"}}};
}

// Content-MD5, Content-Type and x-amz- headers, some of them twice, and an escaped path.
TestMessage put_with_headers() {
    return {"PUT",
            "/b/k%20%C3%BC",
            signed_by("lCD30bph4N7I70fsyaSz6YqYrYg="),
            {{"Host", "h"},
             {"x-amz-meta-b", " three "},
             {"X-Amz-Meta-A", "1"},
             {"Content-Type", "text/plain"},
             {"x-amz-meta-a", "2"},
             {"x-amz-acl", "private"},
             {"Content-MD5", "4gJE4saaMU4BqNR0kLY+lw=="}}};
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "version 2: the published example of a URL is accepted") {
    clock.set("20070329T033500Z");
    const TestMessage message{
        "GET",
        "/photos/puppy.jpg",
        "AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Signature=NpgCjnDzrM%2BWFzoENXmpNDUsSn8%3D&"
        "Expires=1175139620",
        {{"Host", "johnsmith.s3.amazonaws.com"}},
        "johnsmith"};
    const auto result = message.authenticate(authenticator);
    REQUIRE(result.ok());
    CHECK(result->access_key == kExampleKey);
    CHECK(result->presigned);
    CHECK(result->payload.kind == Payload::unsigned_whole);
}

TEST_CASE_FIXTURE(Fixture, "version 2: a URL is good until it expires") {
    CHECK(accepts(get_k()));
    clock.set("20130525T000000Z");
    CHECK(accepts(get_k()));
    clock.set("20130525T000001Z");
    const auto late = get_k().authenticate(authenticator);
    CHECK(late.error().error() == S3Error::access_denied);
    CHECK(late.error().message() == "Request has expired");
}

TEST_CASE_FIXTURE(Fixture, "version 2: headers are signed in their canonical form") {
    CHECK(accepts(put_with_headers()));
    for (const char* name : {"x-amz-meta-b", "Content-Type", "Content-MD5"}) {
        TestMessage message = put_with_headers();
        message.set(name, "other");
        CHECK(error(message) == S3Error::signature_does_not_match);
    }
    TestMessage added = put_with_headers();
    added.set("x-amz-tagging", "a=b");
    CHECK(error(added) == S3Error::signature_does_not_match);
    TestMessage free = put_with_headers();
    free.set("User-Agent", "me");
    CHECK(accepts(free));
}

TEST_CASE_FIXTURE(Fixture, "version 2: parameters stand for the headers that a URL can not carry") {
    TestMessage message = put_with_headers();
    message.headers = {{"Host", "h"}};
    message.query += "&x-amz-acl=private&x-amz-meta-b=three&X-Amz-Meta-A=1%2C2";
    message.query += "&content-type=text%2Fplain&content-md5=4gJE4saaMU4BqNR0kLY%2Blw%3D%3D";
    CHECK(accepts(message));
    // A header of the same name is what counts, so it must have been signed.
    message.set("x-amz-acl", "public-read");
    CHECK(error(message) == S3Error::signature_does_not_match);
}

TEST_CASE_FIXTURE(Fixture, "version 2: sub-resources are signed, sorted and decoded") {
    const TestMessage part{
        "PUT",
        "/b/k",
        "uploadId=a%20b&partNumber=2&" + signed_by("Q7nEGzNoS4cHdYMI9giaZM/Ngp0="),
        {}};
    CHECK(accepts(part));
    const TestMessage shown{"GET",
                            "/b/k",
                            "versionId=null&response-content-type=text%2Fplain%3B%20charset%3D"
                            "utf-8&" +
                                signed_by("SuzaWQ6rvzeRYLHWvc7wG8PNll4="),
                            {}};
    CHECK(accepts(shown));
    const TestMessage uploads{
        "GET", "/", "uploads&" + signed_by("s4/oW4AkVs2opMjsHnjLOZmsuaY="), {}, "b"};
    CHECK(accepts(uploads));
    TestMessage extended = get_k();
    extended.query += "&tagging";
    CHECK(error(extended) == S3Error::signature_does_not_match);
}

TEST_CASE_FIXTURE(Fixture, "version 2: whatever is changed after signing is noticed") {
    const auto wrong = S3Error::signature_does_not_match;
    TestMessage message = get_k();
    message.method = "DELETE";
    CHECK(error(message) == wrong);
    message = get_k();
    message.path = "/b/other";
    CHECK(error(message) == wrong);
    message = get_k();
    message.host_bucket = "b";
    CHECK(error(message) == wrong);
    message = get_k();
    message.query.replace(message.query.find("1369440000"), 10, "1369440001");
    CHECK(error(message) == wrong);
    message = get_k();
    message.query = signed_by("LZtdBQD3oD4TWz+UNZMzo16oT7E");
    CHECK(error(message) == wrong);
    message.query = signed_by("");
    CHECK(error(message) == wrong);
}

TEST_CASE_FIXTURE(Fixture, "version 2: what is missing, malformed or unknown has its error") {
    const auto with = [](const std::string& query) {
        return TestMessage{"GET", "/b/k", query, {}};
    };
    const std::string key = "AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE";
    CHECK(error(with(key)) == S3Error::access_denied);
    CHECK(error(with(key + "&Signature=A")) == S3Error::access_denied);
    CHECK(error(with("Signature=A&Expires=1369440000")) == S3Error::access_denied);
    for (const char* expires : {"", "soon", "1e9", "13694400000000000000000", "1369440000 "}) {
        CHECK(error(with(key + "&Signature=A&Expires=" + expires)) == S3Error::access_denied);
    }
    CHECK(error(with("AWSAccessKeyId=A&Signature=B&Expires=1369440000")) ==
          S3Error::invalid_access_key_id);
    TestMessage both = get_k();
    both.set("Authorization", "AWS4-HMAC-SHA256 Credential=x");
    CHECK(error(both) == S3Error::invalid_argument);
    both = get_k();
    both.query += "&X-Amz-Algorithm=AWS4-HMAC-SHA256";
    CHECK(error(both) == S3Error::invalid_argument);
}
