// Long bodies and long operations.
#include "s3api/http/intake.h"

#include <thread>
#include <vector>

#include "s3api/http/connection_fixture.h"

using namespace s3api;
using namespace s3api::connection_test;

namespace {

// Says when it went, and what it was told by then.
class Watched final : public Intake {
public:
    Watched(std::latch& gone, S3Status& failure) : gone_(gone), failure_(failure) {}
    ~Watched() override { gone_.count_down(); }
    S3Result<bool> take(BodyReader& body) override {
        auto all = echo_.take(body);
        failure_ = body.failure();
        return all;
    }
    S3Result<Response> finish(BodyReader& body) override { return echo_.finish(body); }

private:
    std::latch& gone_;
    S3Status& failure_;
    Echo echo_;
};

// The head of a long body and some of it; the rest may never come.
std::string begun_put(std::string_view path, std::size_t body_bytes) {
    return fmt::format("PUT {} HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n", path) +
           pattern_text(body_bytes);
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "a client that leaves in mid-body makes the op fail, not wait") {
    std::latch gone(1);
    S3Status failure;
    handler.ops["/echo"].begin = [&](Request&) -> S3Result<std::unique_ptr<Intake>> {
        std::unique_ptr<Intake> intake = std::make_unique<Watched>(gone, failure);
        return intake;
    };
    TestClient client(start());
    client.send("PUT /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n" +
                pattern_text(300'000));
    client.close();
    gone.wait();
    REQUIRE(!failure.ok());
    CHECK(failure.error() == S3Error::incomplete_body);
}

TEST_CASE_FIXTURE(Fixture, "clients that stall in mid-body hold no thread that others need") {
    const std::string address = start();
    std::vector<std::unique_ptr<TestClient>> stalled;
    for (const std::size_t bytes : {2'000u, 200'000u, 400'000u}) {
        stalled.push_back(std::make_unique<TestClient>(address));
        stalled.back()->send(begun_put("/echo", bytes));
    }
    // More than there are threads; one place is left.
    TestClient client(address);
    const std::string body = pattern_text(700'000);
    for (int i = 0; i < 3; ++i) CHECK((client.ask(put("/echo", body)).body == body));
    for (const std::size_t sent : {2'000u, 200'000u, 400'000u}) {
        const auto at = sent == 2'000u ? 0u : sent == 200'000u ? 1u : 2u;
        stalled[at]->send(pattern_text(1'000'000).substr(sent));
        CHECK((stalled[at]->receive().body == pattern_text(1'000'000)));
    }
}

TEST_CASE_FIXTURE(Fixture, "a slow client gives way when others wait, and is told so") {
    const std::string address = start();
    std::vector<std::unique_ptr<TestClient>> slow;
    for (int i = 0; i < 4; ++i) {
        slow.push_back(std::make_unique<TestClient>(address));
        slow.back()->send(begun_put(i % 2 == 0 ? "/echo" : "/gathered", 100));
    }
    TestClient client(address);
    const std::string body = pattern_text(200'000);
    CHECK((client.ask(put("/echo", body)).body == body));
    CHECK((client.ask(put("/gathered", body)).body == body));
}

TEST_CASE_FIXTURE(Fixture, "a long body for an op that wants it whole is gathered, in bounds") {
    TestClient client(start());
    for (const std::size_t size : {65'537u, 300'000u, 1'000'000u}) {
        CHECK((client.ask(put("/gathered", pattern_text(size))).body == pattern_text(size)));
    }
    const std::string decoded = "x-amz-decoded-content-length: 100000\r\n";
    CHECK((client.ask(put("/gathered", chunked(pattern_text(100'000), 1'000), decoded)).body ==
           pattern_text(100'000)));
    client.send("PUT /gathered HTTP/1.1\r\nHost: h\r\nContent-Length: 9000000000\r\n" + decoded +
                "\r\n");
    CHECK(client.receive().body == "EntityTooLarge");
}

TEST_CASE_FIXTURE(Fixture, "ops that take long hold up no other and end when their clients leave") {
    Op& op_until_left = handler.ops["/long"];
    op_until_left.run = [](Request& request) {
        while (!request.is_abandoned()) std::this_thread::yield();
        return text_response("nobody hears");
    };
    op_until_left.takes_long = [](const Request&) { return true; };
    const std::string address = start();
    TestClient other(address);
    std::vector<std::unique_ptr<TestClient>> clients;
    for (int i = 0; i < 4; ++i) {
        clients.push_back(std::make_unique<TestClient>(address));
        // What has been sent ahead must not hide that the client left.
        clients.back()->send(get("/long") + get("/none"));
    }
    CHECK(other.ask(get("/none")).body == "done");
    clients.clear();
    while (handler.requests < 5 || server->connections() > 1) std::this_thread::yield();
}
