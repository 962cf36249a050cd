#include "s3api/server.h"

#include <string>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "s3api/auth/auth_test_util.h"
#include "s3api/http/http_test_util.h"

using namespace s3api;
using namespace std::chrono_literals;

namespace {

// Tells what it understood.
S3Result<Response> describe(Request& request) {
    Response response;
    response.body(fmt::format("{} {} {} {}",
                              request.bucket,
                              request.key,
                              request.access_key,
                              request.body->size_bytes()));
    return response;
}

OpTable few_operations() {
    OpTable table;
    for (const Operation operation :
         {Operation::get_object, Operation::head_object, Operation::list_objects}) {
        table.at(static_cast<std::size_t>(operation)).run = describe;
    }
    Op& put = table.at(static_cast<std::size_t>(Operation::put_object));
    put.run = [](Request& request) -> S3Result<Response> {
        TRY_ASSIGN(const std::string text, read_text(*request.body, 1 << 20));
        if (text == "fail") return objstore::Status::io_error("disk 3: fsync: on fire");
        return describe(request);
    };
    put.body_bytes_max = Op::kPutBytesMax;
    put.length_required = true;
    return table;
}

struct Fixture {
    ExampleStore store;
    FixedClock clock{"20130524T000000Z"};
    Server server{{.address = "127.0.0.1:0",
                   .worker_threads = 2,
                   .stream_threads = 2,
                   .tick = 5ms,
                   .domain = "s3.example.com",
                   .host_id = "this-host"},
                  few_operations(),
                  store,
                  clock,
                  quiet_logger()};
    std::string address = server.start().value();
    TestClient client{address};

    struct Call {
        std::string method = "GET";
        std::string path = "/";
        std::string query;
        std::string host = "h";
        std::string body;
        std::string headers;  // not signed
    };
    // A request with a good signature.
    static std::string sign(const Call& call) {
        Headers headers;
        headers.add({"host", call.host});
        headers.add({"x-amz-date", "20130524T000000Z"});
        const Query query = Query::parse(call.query).value();
        SignatureClaim claim;
        claim.scope = {std::string(kExampleKey), "20130524", "us-east-1"};
        claim.signed_headers = {"host", "x-amz-date"};
        claim.amz_date = "20130524T000000Z";
        const std::string hash = to_hex(Sha256::of(objstore::as_bytes(call.body)));
        const std::string text = string_to_sign(
            claim, canonical_request({call.method, call.path, &query, &headers}, claim, hash));
        const std::string signature = to_hex(
            hmac_sha256(derive_signing_key(kExampleSecret, claim.scope), objstore::as_bytes(text)));
        return fmt::format(
            "{} {}{}{} HTTP/1.1\r\nHost: {}\r\nx-amz-date: 20130524T000000Z\r\n"
            "x-amz-content-sha256: {}\r\nContent-Length: {}\r\n{}Authorization: AWS4-HMAC-SHA256 "
            "Credential={}/20130524/us-east-1/s3/aws4_request,SignedHeaders=host;x-amz-date,"
            "Signature={}\r\n\r\n{}",
            call.method,
            call.path,
            call.query.empty() ? "" : "?",
            call.query,
            call.host,
            hash,
            call.body.size(),
            call.headers,
            kExampleKey,
            signature,
            call.body);
    }
    TestResponse ask(const Call& call) { return client.ask(sign(call), call.method == "HEAD"); }
};

bool has(const TestResponse& response, std::string_view text) {
    return response.body.find(text) != std::string::npos;
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "health needs no credentials and readiness is what was last said") {
    CHECK(client.ask("GET /health/live HTTP/1.1\r\nHost: h\r\n\r\n").status == 200);
    CHECK(client.ask("GET /health/ready HTTP/1.1\r\nHost: h\r\n\r\n").status == 503);
    server.set_ready(true);
    CHECK(client.ask("GET /health/ready HTTP/1.1\r\nHost: h\r\n\r\n").status == 200);
    CHECK(client.ask("HEAD /health/ready HTTP/1.1\r\nHost: h\r\n\r\n", true).status == 200);
    CHECK(client.ask("PUT /health/ready HTTP/1.1\r\nHost: h\r\n\r\n").status == 403);
    CHECK(client.ask("GET /health/other HTTP/1.1\r\nHost: h\r\n\r\n").status == 403);
    // A bucket may be called so too.
    CHECK(ask({.path = "/health/ready"}).body == "health ready AKIAIOSFODNN7EXAMPLE 0");
}

TEST_CASE_FIXTURE(Fixture, "bucket and key are found in the path and in the host") {
    CHECK(ask({.path = "/b"}).body == "b  AKIAIOSFODNN7EXAMPLE 0");
    CHECK(ask({.path = "/b/"}).body == "b  AKIAIOSFODNN7EXAMPLE 0");
    CHECK(ask({.path = "/b//k%2f/x"}).body == "b /k//x AKIAIOSFODNN7EXAMPLE 0");
    CHECK(ask({.path = "/k", .host = "b.s3.example.com:9000"}).body ==
          "b k AKIAIOSFODNN7EXAMPLE 0");
    CHECK(ask({.path = "//k/", .host = "a.b.S3.example.com"}).body ==
          "a.b /k/ AKIAIOSFODNN7EXAMPLE 0");
    CHECK(ask({.path = "/b/k", .host = "s3.example.com"}).body == "b k AKIAIOSFODNN7EXAMPLE 0");
}

TEST_CASE_FIXTURE(Fixture, "an error is XML with its code, the resource and the request's id") {
    const TestResponse response = ask({.path = "/b/k", .query = "acl"});
    CHECK(response.status == 501);
    CHECK(response.header("Content-Type") == "application/xml");
    CHECK(has(response, "<Code>NotImplemented</Code>"));
    CHECK(has(response, "<Resource>/b/k</Resource>"));
    CHECK(has(response, "<RequestId>" + response.header("x-amz-request-id") + "</RequestId>"));
    CHECK(has(response, "<HostId>this-host</HostId>"));
    CHECK(response.header("x-amz-id-2") == "this-host");
    CHECK(response.header("x-amz-request-id") != ask({.path = "/b/k"}).header("x-amz-request-id"));
}

TEST_CASE_FIXTURE(Fixture, "what went wrong inside is not told to the client") {
    const TestResponse response = ask({.method = "PUT", .path = "/b/k", .body = "fail"});
    CHECK(response.status == 500);
    CHECK(has(response, "<Code>InternalError</Code>"));
    CHECK(!has(response, "disk"));
}

TEST_CASE_FIXTURE(Fixture, "a failed HEAD has no body") {
    const TestResponse response = ask({.method = "HEAD", .path = "/b"});
    CHECK(response.status == 501);
    CHECK(ask({.path = "/b/k"}).status == 200);
}

TEST_CASE_FIXTURE(Fixture, "nothing happens without a good signature") {
    const TestResponse anonymous = client.ask("GET /b/k HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK(anonymous.status == 403);
    CHECK(has(anonymous, "<Code>AccessDenied</Code>"));
    std::string changed = sign({.method = "PUT", .path = "/b/k", .body = "hello"});
    changed.replace(changed.size() - 5, 5, "jello");
    CHECK(has(client.ask(changed), "XAmzContentSHA256Mismatch"));
    changed = sign({.path = "/b/k"});
    changed.replace(4, 4, "/b/j");
    const TestResponse mismatch = client.ask(changed);
    CHECK(has(mismatch, "<Code>SignatureDoesNotMatch</Code>"));
    CHECK(has(mismatch, "<StringToSign>AWS4-HMAC-SHA256\n"));
    clock.set("20130524T010000Z");
    CHECK(has(ask({.path = "/b/k"}), "RequestTimeTooSkewed"));
}

TEST_CASE_FIXTURE(Fixture, "hostile names are refused") {
    CHECK(has(ask({.path = "/b/" + std::string(1025, 'k')}), "KeyTooLongError"));
    CHECK(ask({.path = "/b/" + std::string(1024, 'k')}).status == 200);
    CHECK(has(ask({.path = "/b/a%00b"}), "InvalidURI"));
    CHECK(has(ask({.path = "//k"}), "InvalidBucketName"));
    CHECK(has(client.ask("GET /b/%zz HTTP/1.1\r\nHost: h\r\n\r\n"), "InvalidURI"));
    CHECK(has(client.ask("GET /?a=%z HTTP/1.1\r\nHost: h\r\n\r\n"), "InvalidURI"));
    CHECK(has(client.ask("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n"), "InvalidURI"));
}

TEST_CASE_FIXTURE(Fixture, "forms and lengthless puts have their own answers") {
    CHECK(has(client.ask("POST /b HTTP/1.1\r\nHost: h\r\nContent-Type: multipart/form-data; "
                         "boundary=x\r\nContent-Length: 1\r\n\r\nx"),
              "NotImplemented"));
    std::string put = sign({.method = "PUT", .path = "/b/k"});
    put.erase(put.find("Content-Length: 0\r\n"), 19);
    CHECK(client.ask(put).status == 411);
}

TEST_CASE_FIXTURE(Fixture, "a stopped server is not ready and lets nobody in") {
    server.set_ready(true);
    server.stop(0ms);
    server.stop(0ms);
    CHECK(client.at_end());
}
