#include "s3api/http/connection.h"

#include <functional>
#include <thread>

#include "s3api/http/connection_fixture.h"

using namespace s3api;
using namespace s3api::connection_test;

TEST_CASE_FIXTURE(Fixture, "bodies of every size come back as they were sent, on one connection") {
    TestClient client(start());
    for (const std::size_t size :
         {0u, 1u, 4096u, 15'000u, 16'384u, 65'536u, 73'728u, 73'729u, 600'000u, 5'000'001u}) {
        CAPTURE(size);
        const std::string body = pattern_text(size);
        const TestResponse response = client.ask(put("/echo", body));
        CHECK(response.status == 200);
        CHECK((response.body == body));
        CHECK(response.header("x-amz-request-id") == "ID");
        CHECK(response.header("Server") == "Ashlar");
        CHECK(!response.header("Date").empty());
    }
}

TEST_CASE_FIXTURE(Fixture, "a request whose start would block is left to a worker") {
    handler.ops["/later"].start_blocks = [](const Request& request) {
        return request.header("x-blocks").has_value();
    };
    TestClient client(start());
    CHECK(client.ask(put("/later", "x")).body == "x");
    CHECK(client.ask(put("/later", "x", "x-blocks: 1\r\n")).body == "worker");
}

TEST_CASE_FIXTURE(Fixture, "pipelined requests are answered in order") {
    TestClient client(start());
    const std::string big = pattern_text(300'000);
    client.send(put("/echo", "one") + get("/none") + put("/echo", big) + put("/fast", "x") +
                get("/nowhere"));
    CHECK(client.receive().body == "one");
    CHECK(client.receive().body == "done");
    CHECK((client.receive().body == big));
    CHECK(client.receive().body == "fast");
    CHECK(client.receive().body == "NoSuchKey");
}

TEST_CASE_FIXTURE(Fixture, "a request that comes byte by byte is understood") {
    TestClient client(start());
    for (const char c : "\r\n" + put("/echo", "hello")) client.send({&c, 1});
    CHECK(client.receive().body == "hello");
}

TEST_CASE_FIXTURE(Fixture, "chunked transfer encoding is taken off") {
    TestClient client(start());
    for (const std::size_t size : {0u, 5u, 70'000u}) {
        const std::string body = pattern_text(size);
        const std::string head = "PUT /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n";
        for (const std::size_t chunk : {1u, 1000u, 100'000u}) {
            CHECK((client.ask(head + "\r\n" + chunked(body, chunk)).body == body));
        }
    }
    CHECK(client
              .ask("PUT /length HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" +
                   chunked("x", 1))
              .body == "MissingContentLength");
    CHECK(client.ask(get("/none")).body == "done");
    CHECK(client.ask("PUT /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n")
              .body == "NotImplemented");
}

TEST_CASE_FIXTURE(Fixture, "aws-chunked bodies of every size are decoded, framed twice too") {
    TestClient client(start());
    for (const std::size_t size : {0u, 5u, 60'000u, 100'000u, 3'000'000u}) {
        CAPTURE(size);
        const std::string body = pattern_text(size);
        std::string raw = chunked(body, 65'536);
        raw.insert(raw.size() - 2, "x-amz-checksum-crc32:abc=\r\n");
        const std::string more = fmt::format(
            "x-amz-decoded-content-length: {}\r\nx-amz-trailer: x-amz-checksum-crc32\r\n", size);
        TestResponse response = client.ask(put("/echo", raw, more));
        CHECK((response.body == body));
        CHECK(response.header("X-Trailer") == "abc=");
        response = client.ask("PUT /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n" +
                              more + "\r\n" + chunked(raw, 50'000));
        CHECK((response.body == body));
        CHECK(response.header("X-Trailer") == "abc=");
    }
}

TEST_CASE_FIXTURE(Fixture, "a small change is begun on the connection's thread, answered later") {
    TestClient client(start());
    std::string pipelined;
    for (int i = 0; i < 100; ++i) pipelined += put("/later", fmt::format("small {}", i));
    client.send(pipelined);
    for (int i = 0; i < 100; ++i) CHECK(client.receive().body == fmt::format("small {}", i));
    const std::string most = pattern_text(Op::kStartBytesMax);
    CHECK((client.ask(put("/later", most)).body == most));
    CHECK(client.ask(put("/later", most + "x")).body == "worker");
    CHECK(client.ask(put("/at-once", "x")).body == "NoSuchBucket");
    const std::string wrong = fmt::format("x-hash: {:064}\r\n", 0);
    CHECK(client.ask(put("/later", "x", wrong)).body == "XAmzContentSHA256Mismatch");
}

TEST_CASE_FIXTURE(Fixture, "what is wrong with a body is the answer, whatever the op says") {
    TestClient client(start());
    const std::string wrong = "x-hash: " + to_hex(Sha256::of(as_bytes("other"))) + "\r\n";
    for (const std::size_t size : {0u, 5u, 200'000u}) {
        CHECK(client.ask(put("/echo", pattern_text(size), wrong)).body ==
              "XAmzContentSHA256Mismatch");
    }
    const std::string right =
        "x-hash: " + to_hex(Sha256::of(as_bytes(pattern_text(200'000)))) + "\r\n";
    CHECK(client.ask(put("/echo", pattern_text(200'000), right)).status == 200);
    const std::string decoded = "x-amz-decoded-content-length: 100000\r\n";
    CHECK(client.ask(put("/echo", chunked(pattern_text(99'999), 65'536), decoded)).body ==
          "IncompleteBody");
    CHECK(client.ask(put("/echo", chunked(pattern_text(100'000), 65'536) + "x", decoded)).body ==
          "InvalidRequest");
}

TEST_CASE_FIXTURE(Fixture, "framing that is wrong is refused without waiting for the rest") {
    const std::string address = start();
    for (const std::size_t length : {100u, 30'000u, 1'000'000u}) {
        for (const char* begin : {"\r\n", "zz\r\n", ";chunk-signature=\r\n"}) {
            TestClient client(address);
            client.send(
                fmt::format("PUT /echo HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n"
                            "x-amz-decoded-content-length: {}\r\n\r\n{}",
                            length,
                            length,
                            begin));
            CHECK(client.receive().body == "InvalidRequest");
        }
    }
}

TEST_CASE_FIXTURE(Fixture, "a client that sends far too much still gets to read its answer") {
    TestClient client(start());
    const std::string body = pattern_text(8'000'000);
    client.send(put("/little", body));
    CHECK(client.receive().body == "EntityTooLarge");
    client.shut_send();
    CHECK(client.at_end());
}

TEST_CASE_FIXTURE(Fixture, "a client that stalls in mid-body is told so and cut") {
    context.limits.progress = 30ms;
    const std::string address = start();
    for (const char* length : {"100", "1000000"}) {
        TestClient client(address);
        client.send(
            fmt::format("PUT /echo HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\nabc", length));
        CHECK(client.receive().body == "RequestTimeout");
        client.shut_send();
        CHECK(client.at_end());
    }
}

TEST_CASE_FIXTURE(Fixture, "a head that does not come is timed, an idle client is let go") {
    context.limits.head = 30ms;
    context.limits.idle = 60ms;
    const std::string address = start();
    TestClient slow(address);
    slow.send("GET /no");
    CHECK(slow.receive().body == "RequestTimeout");
    TestClient idle(address);
    CHECK(idle.at_end());
}

TEST_CASE_FIXTURE(Fixture, "100 Continue is sent when the body is wanted, and not before") {
    TestClient client(start());
    const auto head = [](std::string_view path, std::size_t length) {
        return fmt::format(
            "PUT {} HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\nExpect: 100-continue\r\n\r\n",
            path,
            length);
    };
    for (const std::size_t size : {5u, 200'000u}) {
        CHECK(client.ask(head("/echo", size)).status == 100);
        CHECK((client.ask(pattern_text(size)).body == pattern_text(size)));
    }
    // Not waited for: then it is not sent either.
    CHECK(client.ask(head("/echo", 5) + "hello").status == 200);
    // A body of no bytes is waited for all the same.
    CHECK(client.ask(head("/echo", 0)).status == 100);
    CHECK(client.receive().status == 200);
    const TestResponse refused = client.ask(head("/nowhere", 5));
    CHECK(refused.status == 404);
    CHECK(refused.header("Connection") == "close");
    CHECK(client.at_end());
}

TEST_CASE_FIXTURE(Fixture, "a body that nobody reads is drained when it is short, else cut") {
    const std::string address = start();
    TestClient client(address);
    for (const std::size_t size : {5u, 100'000u, 1'000'000u}) {
        const TestResponse response = client.ask(put("/deaf", pattern_text(size)));
        CHECK(response.body == "NoSuchBucket");
        CHECK(response.header("Connection").empty());
        CHECK(client.ask(put("/none", pattern_text(size))).body == "done");
    }
    CHECK(client.ask(get("/none")).body == "done");
    client.send("PUT /deaf HTTP/1.1\r\nHost: h\r\nContent-Length: 5000000\r\n\r\n" +
                pattern_text(100'000));
    const TestResponse response = client.receive();
    CHECK(response.body == "NoSuchBucket");
    CHECK(response.header("Connection") == "close");
}

TEST_CASE_FIXTURE(Fixture,
                  "heads that are too large or no HTTP are refused, then the line closes") {
    const std::string address = start();
    const auto answer = [&](const std::string& text) {
        TestClient client(address);
        const TestResponse response = client.ask(text);
        client.shut_send();
        CHECK(client.at_end());
        return response.body;
    };
    const std::string large(9000, 'x');
    CHECK(answer(get("/none", "X: " + large + "\r\n")) == "RequestHeaderSectionTooLarge");
    CHECK(answer("GET /" + large) == "RequestHeaderSectionTooLarge");
    std::string many;
    for (int i = 0; i < 1000; ++i) many += "X: xxxxx\r\n";
    CHECK(answer(get("/none", many)) == "RequestHeaderSectionTooLarge");
    CHECK(answer("nonsense\r\n\r\n") == "BadRequest");
    CHECK(answer("GET /none HTTP/9.1\r\n\r\n") == "BadRequest");
    CHECK(answer(get("/none", "Content-Length: -1\r\n")) == "BadRequest");
    CHECK(answer(get("/none", "Content-Length: 1\r\nContent-Length: 2\r\n")) == "BadRequest");
    CHECK(answer(get("/none", "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n")) ==
          "BadRequest");
    const std::string fits(7000, 'x');
    TestClient client(address);
    CHECK(client.ask(get("/none", "X: " + fits + "\r\n")).body == "done");
}

TEST_CASE_FIXTURE(Fixture, "lengths are checked against what the op takes") {
    TestClient client(start());
    CHECK(client.ask(put("/little", pattern_text(1000))).status == 200);
    CHECK(client.ask(put("/little", pattern_text(1001))).body == "EntityTooLarge");
    CHECK(client.ask("PUT /length HTTP/1.1\r\nHost: h\r\n\r\n").body == "MissingContentLength");
    CHECK(client.ask(put("/echo", "", "x-amz-decoded-content-length: x\r\n")).body ==
          "InvalidArgument");
}

TEST_CASE_FIXTURE(Fixture, "HEAD and 304 have no body") {
    TestClient client(start());
    const TestResponse head = client.ask("HEAD /sized HTTP/1.1\r\nHost: h\r\n\r\n", true);
    CHECK(head.header("Content-Length") == std::to_string(kMuch));
    CHECK(client.ask("HEAD /nowhere HTTP/1.1\r\nHost: h\r\n\r\n", true).status == 404);
    CHECK(client.ask(get("/304")).status == 304);
    CHECK(client.ask(get("/none")).body == "done");
}

TEST_CASE_FIXTURE(Fixture, "long answers arrive whole, from memory, from workers, in chunks") {
    TestClient client(start());
    const std::string all = pattern_text(kMuch);
    for (const char* path : {"/sized", "/sized-at-once", "/chunked"}) {
        CAPTURE(path);
        CHECK((client.ask(get(path)).body == all));
    }
    CHECK(client.ask(get("/empty")).body.empty());
    CHECK(client.ask(get("/none")).body == "done");
    TestClient old(start());
    CHECK((old.ask("GET /chunked HTTP/1.0\r\n\r\n").body == all));
}

TEST_CASE_FIXTURE(Fixture,
                  "an answer that fails before its first byte is an error, later it is cut") {
    TestClient client(start());
    CHECK(client.ask(get("/fails-first")).body == "InternalError");
    const TestResponse response = client.ask(get("/fails-later"));
    CHECK(response.status == 200);
    CHECK(response.cut_short);
    CHECK(client.at_end());
}

TEST_CASE_FIXTURE(Fixture, "a filler is sent while the source still works") {
    std::latch slow(1);
    context.limits.filler = 5ms;
    handler.source("/slow", {.size_bytes = 10, .slow = &slow}, false);
    const std::string address = start();
    TestClient client(address);
    client.send(get("/slow"));
    // Only what was sent before the source is let go can be received here.
    const std::string begun = client.peek_until("  ");
    CHECK(begun.starts_with("HTTP/1.1 200 OK"));
    slow.count_down();
    const std::string body = client.receive().body;
    const std::size_t first = body.find_first_not_of(' ');
    REQUIRE(first >= 2);
    REQUIRE(first != body.npos);
    CHECK(body.substr(first, 10) == pattern_text(10));
    // The source may be slow to say that it has ended, too.
    CHECK(body.find_first_not_of(' ', first + 10) == body.npos);
}

TEST_CASE_FIXTURE(Fixture, "a client that leaves in mid-answer ends it") {
    const std::string address = start();
    for (const char* path : {"/sized", "/sized-at-once", "/chunked"}) {
        TestClient client(address);
        client.send(get(path));
        client.close();
    }
    while (handler.requests < 3 || server->connections() > 0) std::this_thread::yield();
}

TEST_CASE_FIXTURE(Fixture, "a full queue says slow down and a thrown exception is contained") {
    std::latch go(1);
    std::latch begun(1);
    objstore::ThreadPool one({.threads = 1, .queue_max = 1});
    ConnectionContext narrow{handler, one, one, one, gate, clock, {}};
    objstore::TcpServer small(
        {.tick = 5ms},
        [&](objstore::Stream& stream) { return serve(&narrow, &stream); },
        quiet_logger());
    const std::string address = small.start().value();
    REQUIRE(one.post([&] {
        begun.count_down();
        go.wait();
    }));
    begun.wait();
    REQUIRE(one.post([] {}));
    TestClient client(address);
    CHECK(client.ask(get("/none")).body == "SlowDown");
    CHECK(client.ask(put("/echo", pattern_text(200'000))).body == "SlowDown");
    go.count_down();
    std::string body;
    do body = client.ask(get("/throw")).body;
    while (body == "SlowDown");
    CHECK(body == "InternalError");
    small.stop(0ms);
}

TEST_CASE_FIXTURE(Fixture, "old and closing clients are closed after their answer") {
    const std::string address = start();
    TestClient old(address);
    CHECK(old.ask("GET /none HTTP/1.0\r\n\r\n").body == "done");
    CHECK(old.at_end());
    TestClient kept(address);
    for (int i = 0; i < 2; ++i) {
        const auto response = kept.ask("GET /none HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        CHECK(response.body == "done");
        CHECK(response.header("Connection") == "keep-alive");
    }
    TestClient closing(address);
    CHECK(closing.ask(get("/none", "Connection: close\r\n")).header("Connection") == "close");
    CHECK(closing.at_end());
}
