#include "s3api/auth/authenticator.h"

#include <string>

#include <doctest/doctest.h>

#include "s3api/auth/auth_test_util.h"

using namespace s3api;

namespace {

constexpr const char* kEmptyHash =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

struct Fixture {
    ExampleStore store;
    FixedClock clock{"20130524T000000Z"};
    Authenticator authenticator{{.region = "us-east-1"}, store, clock};

    S3Error error(const TestMessage& message) const {
        const auto result = message.authenticate(authenticator);
        REQUIRE(!result.ok());
        return result.error().error();
    }
    bool accepts(const TestMessage& message) const {
        return message.authenticate(authenticator).ok();
    }
};

std::string authorization(std::string_view signed_headers, std::string_view signature) {
    return "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
           "SignedHeaders=" +
           std::string(signed_headers) + ",Signature=" + std::string(signature);
}

// "Example: GET Object" of Amazon's documentation.
TestMessage get_object() {
    return {"GET",
            "/test.txt",
            "",
            {{"Host", "examplebucket.s3.amazonaws.com"},
             {"Range", "bytes=0-9"},
             {"x-amz-content-sha256", kEmptyHash},
             {"x-amz-date", "20130524T000000Z"},
             {"Authorization",
              authorization("host;range;x-amz-content-sha256;x-amz-date",
                            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")}}};
}

// The presigned example.
TestMessage presigned() {
    return {"GET",
            "/test.txt",
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2F"
            "us-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&"
            "X-Amz-SignedHeaders=host&X-Amz-Signature="
            "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
            {{"Host", "examplebucket.s3.amazonaws.com"}}};
}

TestMessage with_query(TestMessage message, std::string_view from, std::string_view to) {
    const std::size_t at = message.query.find(from);
    REQUIRE(at != std::string::npos);
    message.query.replace(at, from.size(), to);
    return message;
}

TestMessage with_header(TestMessage message, std::string_view name, std::string value) {
    message.set(name, std::move(value));
    return message;
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "the published example of GET Object is accepted") {
    const auto result = get_object().authenticate(authenticator);
    REQUIRE(result.ok());
    CHECK(result->access_key == kExampleKey);
    CHECK(result->payload.kind == Payload::hashed);
    CHECK(to_hex(result->payload.hash) == kEmptyHash);
}

TEST_CASE_FIXTURE(Fixture, "the published example of PUT Object is accepted") {
    const TestMessage message{
        "PUT",
        "/test$file.text",
        "",
        {{"Host", "examplebucket.s3.amazonaws.com"},
         {"Date", "Fri, 24 May 2013 00:00:00 GMT"},
         {"x-amz-date", "20130524T000000Z"},
         {"x-amz-storage-class", "REDUCED_REDUNDANCY"},
         {"x-amz-content-sha256",
          "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"},
         {"Authorization",
          authorization("date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
                        "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd")}}};
    CHECK(accepts(message));
}

TEST_CASE_FIXTURE(Fixture, "the published example of GET Bucket Lifecycle is accepted") {
    const TestMessage message{
        "GET",
        "/",
        "lifecycle",
        {{"Host", "examplebucket.s3.amazonaws.com"},
         {"x-amz-date", "20130524T000000Z"},
         {"x-amz-content-sha256", kEmptyHash},
         {"Authorization",
          authorization("host;x-amz-content-sha256;x-amz-date",
                        "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543")}}};
    CHECK(accepts(message));
}

TEST_CASE_FIXTURE(Fixture, "the published example of GET Bucket (list) is accepted") {
    const TestMessage message{
        "GET",
        "/",
        "prefix=J&max-keys=2",
        {{"Host", "examplebucket.s3.amazonaws.com"},
         {"x-amz-date", "20130524T000000Z"},
         {"x-amz-content-sha256", kEmptyHash},
         {"Authorization",
          authorization("host;x-amz-content-sha256;x-amz-date",
                        "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7")}}};
    CHECK(accepts(message));
}

TEST_CASE_FIXTURE(Fixture, "the published presigned example is accepted, until it expires") {
    const auto result = presigned().authenticate(authenticator);
    REQUIRE(result.ok());
    CHECK(result->payload.kind == Payload::unsigned_whole);
    clock.set("20130525T000000Z");
    CHECK(accepts(presigned()));
    clock.set("20130525T000001Z");
    CHECK(error(presigned()) == S3Error::access_denied);
    clock.set("20130523T234459Z");
    CHECK(error(presigned()) == S3Error::access_denied);
    clock.set("20130523T234500Z");
    CHECK(accepts(presigned()));
}

TEST_CASE_FIXTURE(Fixture, "whatever is changed after signing is noticed") {
    const auto wrong = S3Error::signature_does_not_match;
    TestMessage message = get_object();
    message.method = "PUT";
    CHECK(error(message) == wrong);
    message = get_object();
    message.path = "/test.txt/";
    CHECK(error(message) == wrong);
    message.path = "//test.txt";
    CHECK(error(message) == wrong);
    message = get_object();
    message.query = "acl";
    CHECK(error(message) == wrong);
    CHECK(error(with_header(get_object(), "Range", "bytes=0-99")) == wrong);
    CHECK(error(with_header(get_object(), "Host", "examplebucket.s3.amazonaws.com:80")) == wrong);
    CHECK(error(with_header(get_object(), "x-amz-content-sha256", "UNSIGNED-PAYLOAD")) == wrong);
    CHECK(error(with_header(get_object(), "x-amz-date", "20130524T000001Z")) == wrong);
    CHECK(error(with_query(presigned(), "86400", "86401")) == wrong);
    CHECK(error(with_query(presigned(), "Signature=aeeed", "Signature=beeed")) == wrong);
    CHECK(error(with_query(presigned(), "d404", "d40")) == wrong);
}

TEST_CASE_FIXTURE(Fixture, "blanks in a signed header do not matter, escapes in the path neither") {
    CHECK(accepts(with_header(get_object(), "Range", "  bytes=0-9\t")));
    TestMessage message = get_object();
    message.path = "/%74est.txt";
    CHECK(accepts(message));
}

TEST_CASE_FIXTURE(Fixture, "a header that says what to do must be signed") {
    const auto result =
        with_header(get_object(), "X-Amz-Acl", "public-read").authenticate(authenticator);
    CHECK(result.error().error() == S3Error::access_denied);
    CHECK(result.error().details().at(0).value == "x-amz-acl");
    CHECK(accepts(with_header(get_object(), "User-Agent", "me")));
}

TEST_CASE_FIXTURE(Fixture, "a clock may be fifteen minutes off and no more") {
    clock.set("20130524T001500Z");
    CHECK(accepts(get_object()));
    clock.set("20130524T001501Z");
    CHECK(error(get_object()) == S3Error::request_time_too_skewed);
    clock.set("20130523T234500Z");
    CHECK(accepts(get_object()));
    clock.set("20130523T234459Z");
    CHECK(error(get_object()) == S3Error::request_time_too_skewed);
}

TEST_CASE_FIXTURE(Fixture, "an unknown key, no signature and other signatures have their errors") {
    const auto header = [](std::string value) {
        return with_header(get_object(), "Authorization", std::move(value));
    };
    TestMessage anonymous = get_object();
    anonymous.erase("Authorization");
    CHECK(error(anonymous) == S3Error::access_denied);
    CHECK(error(header("AWS AKIAIOSFODNN7EXAMPLE:c2ln")) == S3Error::invalid_request);
    CHECK(error(header("AWS4-ECDSA-P256-SHA256 Credential=x")) == S3Error::not_implemented);
    CHECK(error(header("Basic YTpi")) == S3Error::invalid_argument);
    std::string other = authorization("host;x-amz-date", "00");
    other.replace(other.find("AKIA"), 4, "AKIB");
    CHECK(error(header(other)) == S3Error::invalid_access_key_id);
    TestMessage both = presigned();
    both.set("Authorization", authorization("host", "00"));
    CHECK(error(both) == S3Error::invalid_argument);
    TestMessage hash = get_object();
    hash.erase("x-amz-content-sha256");
    CHECK(error(hash) == S3Error::invalid_request);
    CHECK(error(with_header(get_object(), "x-amz-content-sha256", "abc")) ==
          S3Error::invalid_argument);
    TestMessage date = get_object();
    date.erase("x-amz-date");
    CHECK(error(date) == S3Error::access_denied);
}

TEST_CASE_FIXTURE(Fixture, "a malformed Authorization header is called that") {
    const auto wrong = S3Error::authorization_header_malformed;
    const std::string scope = "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request";
    const std::string rest = ",SignedHeaders=host,Signature=00";
    for (const std::string& value :
         {std::string("AWS4-HMAC-SHA256"),
          std::string("AWS4-HMAC-SHA256 nonsense"),
          "AWS4-HMAC-SHA256 Credential=" + scope,
          "AWS4-HMAC-SHA256 Credential=" + scope + ",Signature=00",
          "AWS4-HMAC-SHA256 Credential=a/b/c" + rest,
          "AWS4-HMAC-SHA256 Credential=/20130524/us-east-1/s3/"
          "aws4_request" +
              rest,
          "AWS4-HMAC-SHA256 Credential=A/2013052/us-east-1/s3/"
          "aws4_request" +
              rest,
          "AWS4-HMAC-SHA256 Credential=A/20130525/us-east-1/s3/"
          "aws4_request" +
              rest,
          "AWS4-HMAC-SHA256 Credential=A/20130524/us-east-1/ec2/"
          "aws4_request" +
              rest,
          "AWS4-HMAC-SHA256 Credential=A/20130524/us-east-1/s3/aws5" + rest,
          "AWS4-HMAC-SHA256 Credential=A/20130524/eu-west-1/s3/"
          "aws4_request" +
              rest,
          "AWS4-HMAC-SHA256 Credential=" + scope + ",SignedHeaders=range,Signature=00",
          "AWS4-HMAC-SHA256 Credential=" + scope + ",SignedHeaders=host;;a,Signature=00"}) {
        CAPTURE(value);
        CHECK(error(with_header(get_object(), "Authorization", value)) == wrong);
    }
}

TEST_CASE_FIXTURE(Fixture, "malformed presigned parameters are called that") {
    const auto wrong = S3Error::authorization_query_parameters_error;
    CHECK(error(with_query(presigned(), "86400", "0")) == wrong);
    CHECK(error(with_query(presigned(), "86400", "604801")) == wrong);
    CHECK(error(with_query(presigned(), "86400", "-1")) == wrong);
    CHECK(error(with_query(presigned(), "86400", "1e3")) == wrong);
    CHECK(error(with_query(presigned(), "86400", "99999999999999999999999")) == wrong);
    CHECK(error(with_query(presigned(), "X-Amz-Date=20130524T000000Z&", "")) == wrong);
    CHECK(error(with_query(presigned(), "X-Amz-Date=20130524T000000Z", "X-Amz-Date=now")) == wrong);
    CHECK(error(with_query(presigned(), "SHA256", "SHA1")) == wrong);
    CHECK(error(with_query(presigned(), "us-east-1", "eu-west-1")) == wrong);
    CHECK(error(with_query(presigned(), "SignedHeaders=host", "SignedHeaders=range")) == wrong);
    CHECK(error(with_query(presigned(), "aws4_request", "aws5_request")) == wrong);
    CHECK(error(with_query(presigned(), "AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256")) ==
          S3Error::not_implemented);
}

TEST_CASE("any region is accepted when none is configured") {
    const ExampleStore store;
    const FixedClock clock("20130524T000000Z");
    const Authenticator anywhere({.region = ""}, store, clock);
    CHECK(get_object().authenticate(anywhere).ok());
    TestMessage other = get_object();
    std::string value = authorization("host", std::string(64, '0'));
    value.replace(value.find("us-east-1"), 9, "mars");
    other.set("Authorization", value);
    CHECK(other.authenticate(anywhere).error().error() == S3Error::signature_does_not_match);
}
