#include "bench/s3_work.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace {

using bench::HttpResponse;
using bench::S3Outcome;
using bench::S3Request;
using bench::S3Work;
using bench::S3WorkKind;

HttpResponse answer(std::string_view headers, std::string_view body) {
    HttpResponse response;
    response.begin({.keep_body = true});
    response.take(fmt::format(
        "HTTP/1.1 200 OK\r\n{}content-length: {}\r\n\r\n{}", headers, body.size(), body));
    return response;
}

S3Work work_of(S3WorkKind kind) {
    return S3Work({.kind = kind,
                   .endpoint = "127.0.0.1:9",
                   .access_key = "key",
                   .secret_key = "secret",
                   .bucket = "b",
                   .prefix = "p/",
                   .size_bytes = 10,
                   .objects = 2,
                   .parts = 2},
                  2);
}

// "PUT /b/p/00000000" of a request.
std::string target(const std::optional<S3Request>& request) {
    return request.has_value() ? request->head.substr(0, request->head.find(" HTTP/1.1"))
                               : "nothing";
}

}  // namespace

TEST_CASE("puts and deletes number their objects and stop after the last") {
    S3Work put = work_of(S3WorkKind::put);
    CHECK(target(put.next(0)) == "PUT /b/p/00000000");
    const auto second = put.next(1);
    CHECK(target(second) == "PUT /b/p/00000001");
    CHECK(second->body.size() == 10);
    CHECK(target(put.next(0)) == "nothing");
    S3Work remove = work_of(S3WorkKind::remove);
    CHECK(target(remove.next(0)) == "DELETE /b/p/00000000");
    CHECK(remove.next(0)->body.empty());
    CHECK(target(remove.next(0)) == "nothing");
}

TEST_CASE("each client follows its own listing and begins again at the end") {
    S3Work work = work_of(S3WorkKind::list);
    CHECK(target(work.next(0)) == "GET /b?list-type=2&prefix=p%2F");
    const S3Outcome page =
        work.take(0,
                  answer("",
                         "<r><Key>p/1</Key><Key>p/2</Key><NextContinuationToken>a+=</"
                         "NextContinuationToken></r>"));
    CHECK(page.keys == 2);
    CHECK(target(work.next(0)) == "GET /b?continuation-token=a%2B%3D&list-type=2&prefix=p%2F");
    CHECK(target(work.next(1)) == "GET /b?list-type=2&prefix=p%2F");
    work.take(0, answer("", "<r><Key>p/3</Key></r>"));
    CHECK(target(work.next(0)) == "GET /b?list-type=2&prefix=p%2F");
}

TEST_CASE("an upload is begun, gets its parts, is completed with their tags, and the next begins") {
    S3Work work = work_of(S3WorkKind::multipart);
    CHECK(target(work.next(0)) == "POST /b/p/00000000?uploads=");
    CHECK(!work.take(0, answer("", "<r><UploadId>u/1</UploadId></r>")).counts);
    CHECK(target(work.next(0)) == "PUT /b/p/00000000?partNumber=1&uploadId=u%2F1");
    CHECK(work.take(0, answer("ETag: \"e1\"\r\n", "")).bytes == 10);
    CHECK(target(work.next(0)) == "PUT /b/p/00000000?partNumber=2&uploadId=u%2F1");
    work.take(0, answer("ETag: \"e2\"\r\n", ""));
    const auto complete = work.next(0);
    CHECK(target(complete) == "POST /b/p/00000000?uploadId=u%2F1");
    CHECK(complete->body.find("<PartNumber>2</PartNumber><ETag>\"e2\"</ETag>") !=
          std::string_view::npos);
    CHECK(!work.take(0, answer("", "<r/>")).counts);
    CHECK(target(work.next(0)) == "POST /b/p/00000001?uploads=");
}

TEST_CASE("keys go round the directories, and each client lists its own") {
    bench::S3WorkOptions options{.kind = S3WorkKind::put, .bucket = "b", .prefix = "p"};
    options.directories = 2;
    S3Work put(options, 1);
    CHECK(target(put.next(0)) == "PUT /b/p0/00000000");
    CHECK(target(put.next(0)) == "PUT /b/p1/00000001");
    CHECK(target(put.next(0)) == "PUT /b/p0/00000002");
    options.kind = S3WorkKind::list;
    S3Work list(options, 4);
    CHECK(target(list.next(3)) == "GET /b?list-type=2&prefix=p1%2F");
}

TEST_CASE("a body in chunks is as long as its head says and holds all of the body") {
    S3Work whole({.kind = S3WorkKind::put, .bucket = "b", .size_bytes = 25}, 1);
    const std::string body(whole.next(0)->body);
    S3Work work({.kind = S3WorkKind::put, .bucket = "b", .size_bytes = 25, .chunk_bytes = 10}, 1);
    const auto request = work.next(0);
    CHECK(request->head.find(fmt::format("\r\nContent-Length: {}\r\n", request->body.size())) !=
          std::string::npos);
    CHECK(request->head.find("\r\nx-amz-decoded-content-length: 25\r\n") != std::string::npos);
    std::string found;
    std::string_view rest = request->body;
    for (const std::string_view size : {"a", "a", "5", "0"}) {
        CAPTURE(size);
        REQUIRE(rest.substr(0, size.size() + 17) == std::string(size) + ";chunk-signature=");
        rest.remove_prefix(size.size() + 17 + 64);
        REQUIRE(rest.substr(0, 2) == "\r\n");
        const std::size_t bytes = std::stoul(std::string(size), nullptr, 16);
        found += rest.substr(2, bytes);
        REQUIRE(rest.substr(2 + bytes, 2) == "\r\n");
        rest.remove_prefix(bytes + 4);
    }
    CHECK(rest.empty());
    CHECK(found == body);
}

TEST_CASE("reads choose among the objects there are") {
    S3Work work = work_of(S3WorkKind::get);
    bool seen[2] = {};
    for (int i = 0; i < 100; ++i) {
        const std::string got = target(work.next(0));
        REQUIRE((got == "GET /b/p/00000000" || got == "GET /b/p/00000001"));
        seen[got.back() - '0'] = true;
    }
    CHECK(seen[0]);
    CHECK(seen[1]);
}
