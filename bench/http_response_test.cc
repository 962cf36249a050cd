#include "bench/http_response.h"

#include <stdexcept>

#include <doctest/doctest.h>

namespace {

using bench::HttpResponse;

// The response whole, or in pieces of so many bytes.
HttpResponse taken(std::string_view text, std::size_t piece_bytes, HttpResponse::Options options) {
    HttpResponse response;
    response.begin(options);
    for (; !text.empty(); text.remove_prefix(std::min(piece_bytes, text.size()))) {
        response.take(text.substr(0, piece_bytes));
    }
    return response;
}

constexpr std::string_view kPlain =
    "HTTP/1.1 200 OK\r\nETag: \"e\"\r\nContent-Length: 5\r\n\r\nhello";
constexpr std::string_view kChunked =
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nA: "
    "b\r\n\r\n";

}  // namespace

TEST_CASE("a response ends where its length or its last chunk says, however it is cut") {
    for (const std::string_view text : {kPlain, kChunked}) {
        for (std::size_t piece_bytes = 1; piece_bytes <= text.size(); ++piece_bytes) {
            CAPTURE(piece_bytes);
            const HttpResponse response = taken(text, piece_bytes, {.keep_body = true});
            CHECK(response.done());
            CHECK(response.status() == 200);
            CHECK(response.body() == "hello");
            CHECK(response.body_bytes() == 5);
        }
        CHECK(!taken(text.substr(0, text.size() - 1), 1000, {}).done());
    }
}

TEST_CASE("headers are found whatever their case, and only whole names") {
    const HttpResponse response = taken(kPlain, 1000, {});
    CHECK(response.header("etag") == "\"e\"");
    CHECK(response.header("content-length") == "5");
    CHECK(response.header("content").empty());
}

TEST_CASE("a body nobody wants can be skipped, one of an error is kept") {
    HttpResponse response;
    response.begin({});
    response.take(kPlain.substr(0, kPlain.size() - 4));
    CHECK(response.unwanted_bytes() == 4);
    response.skip(4);
    CHECK(response.done());
    CHECK(response.body_bytes() == 5);
    CHECK(response.body().empty());
    const HttpResponse error =
        taken("HTTP/1.1 503 Slow\r\nContent-Length: 4\r\n\r\noops", 1000, {});
    CHECK(error.body() == "oops");
}

TEST_CASE("an answer to HEAD has no body, and 100 comes before the answer") {
    const std::string_view text =
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n";
    const HttpResponse response = taken(text, 7, {.no_body = true});
    CHECK(response.done());
    CHECK(response.status() == 200);
}

TEST_CASE("what is no response, has no length or goes on after its end is refused") {
    CHECK_THROWS_AS(taken("SSH-2.0-x\r\n\r\n", 1000, {}), std::runtime_error);
    CHECK_THROWS_AS(taken("HTTP/1.1 200 OK\r\n\r\n", 1000, {}), std::runtime_error);
    CHECK_THROWS_AS(taken(std::string(kPlain) + "x", 1000, {}), std::runtime_error);
    CHECK_THROWS_AS(taken(std::string(100'000, 'x'), 1000, {}), std::runtime_error);
}
