#pragma once

#include <array>
#include <atomic>
#include <latch>
#include <map>
#include <memory>
#include <string>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "objstore/net/server.h"
#include "s3api/http/connection.h"
#include "s3api/http/http_test_util.h"
#include "s3api/http/toy_ops_fixture.h"

// gcc 12 takes the variant in a Response that becomes an S3Result for uninitialized here.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"

namespace s3api::connection_test {

using namespace std::chrono_literals;
using objstore::as_bytes;
using objstore::as_text;
using objstore::Bytes;
using objstore::MutableBytes;
using objstore::Status;

// Its paths are the cases of this test.
class ToyHandler final : public Handler {
public:
    ToyHandler() {
        ops["/echo"] = op(echo, Op::kPutBytesMax);
        ops["/echo"].begin = begin_echo;
        ops["/length"] = ops["/echo"];
        ops["/length"].length_required = true;
        ops["/little"] = op(echo, 1000);
        ops["/gathered"] = op(echo, 1'000'000);
        ops["/none"] = op([](Request&) { return text_response("done"); });
        ops["/deaf"] = op([](Request&) -> S3Result<Response> { return S3Error::no_such_bucket; },
                          Op::kPutBytesMax);
        ops["/deaf"].begin = [](Request&) -> S3Result<std::unique_ptr<Intake>> {
            return S3Error::no_such_bucket;
        };
        ops["/fast"] = op([](Request&) { return text_response("slow"); }, Op::kPutBytesMax);
        ops["/fast"].fast = [](Request&) -> std::optional<S3Result<Response>> {
            return text_response("fast");
        };
        ops["/later"] = op([](Request&) { return text_response("worker"); }, Op::kPutBytesMax);
        ops["/later"].start = [this](Request& request, Op::Answered answered) {
            // The body belongs to the connection's thread.
            auto answer = std::make_shared<S3Result<Response>>(echo(request));
            REQUIRE(others.post([answer, answered] { answered(std::move(*answer)); }));
        };
        ops["/at-once"] = op([](Request&) { return text_response("worker"); }, Op::kPutBytesMax);
        ops["/at-once"].start = [](Request&, const Op::Answered& answered) {
            answered(S3Error::no_such_bucket);
        };
        ops["/throw"] = op([](Request&) -> Response { throw std::runtime_error("boom"); });
        ops["/304"] = op([](Request&) -> S3Result<Response> { return S3Error::not_modified; });
        source("/sized", {.size_bytes = kMuch}, true);
        source("/sized-at-once", {.size_bytes = kMuch, .at_once = true}, true);
        source("/chunked", {.size_bytes = kMuch}, false);
        source("/empty", {}, false);
        source("/fails-first", {.size_bytes = kMuch, .fail_at = 0}, false);
        source("/fails-later", {.size_bytes = kMuch, .fail_at = 1'000'000}, true);
    }

    void source(const std::string& path, PatternSource::Options options, bool sized) {
        ops[path] = op([options, sized](Request&) {
            Response response;
            auto made = std::make_unique<PatternSource>(options);
            if (sized) {
                response.body(std::move(made), options.size_bytes);
            } else {
                response.chunked(std::move(made));
            }
            return response;
        });
    }

    void identify(Request& request) override { request.request_id = "ID"; }
    S3Result<Plan> admit(Request& request) override {
        Plan plan;
        const auto at = ops.find(std::string(request.raw_path));
        if (at == ops.end()) return S3Error::no_such_key;
        plan.op = &at->second;
        if (const auto hash = request.header("x-hash")) {
            plan.payload.kind = Payload::hashed;
            plan.payload.hash = parse_sha256_hex(*hash).value();
        }
        if (request.headers.has("x-amz-decoded-content-length")) {
            plan.payload.kind = Payload::streaming_unsigned_trailer;
        }
        return plan;
    }
    Response error_response(const Request&, const S3Status& status) override {
        const auto& row = info(status.error());
        return text_response(row.code, row.http_status);
    }
    void finished(const Request&, int, const S3Status&) override { ++requests; }

    std::map<std::string, Op> ops;
    std::atomic<int> requests{0};
    objstore::ThreadPool others{{.threads = 1}};
};

struct Fixture {
    ToyHandler handler;
    objstore::ThreadPool workers{{.threads = 2}};
    objstore::ThreadPool streams{{.threads = 2}};
    objstore::SystemClock clock;
    objstore::ThreadPool long_ops{{.threads = 1}};
    IntakeGate gate{{.count_max = 4, .young = 0ms}, clock};
    ConnectionContext context{handler, workers, streams, long_ops, gate, clock, {}};
    std::unique_ptr<objstore::TcpServer> server;

    static objstore::Task<void> serve(const ConnectionContext* context, objstore::Stream* stream) {
        Connection connection(*context, *stream);
        co_await connection.run();
    }
    std::string start() {
        objstore::TcpServer::Options options;
        options.tick = 5ms;
        server = std::make_unique<objstore::TcpServer>(
            options,
            [this](objstore::Stream& stream) { return serve(&context, &stream); },
            quiet_logger());
        return server->start().value();
    }
    ~Fixture() {
        if (server) server->stop(0ms);
        workers.stop();
        streams.stop();
        long_ops.stop();
        handler.others.stop();
    }
};

inline std::string get(std::string_view path, std::string_view more = "") {
    return fmt::format("GET {} HTTP/1.1\r\nHost: h\r\n{}\r\n", path, more);
}

inline std::string put(std::string_view path, std::string_view body, std::string_view more = "") {
    return fmt::format("PUT {} HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n{}\r\n{}",
                       path,
                       body.size(),
                       more,
                       body);
}

// `body` in chunks of transfer encoding.
inline std::string chunked(std::string_view body, std::size_t chunk_bytes) {
    std::string out;
    for (; !body.empty(); body.remove_prefix(std::min(chunk_bytes, body.size()))) {
        const auto chunk = body.substr(0, chunk_bytes);
        out += fmt::format("{:x}\r\n{}\r\n", chunk.size(), chunk);
    }
    return out + "0\r\n\r\n";
}

}  // namespace s3api::connection_test
