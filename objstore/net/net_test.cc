#include <atomic>
#include <future>
#include <latch>
#include <string>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/asio/write.hpp>
#include <doctest/doctest.h>
#include <spdlog/sinks/null_sink.h>
#include <spdlog/spdlog.h>

#include "objstore/net/run_on.h"
#include "objstore/net/server.h"

using namespace objstore;
using namespace std::chrono_literals;
namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

std::shared_ptr<spdlog::logger> quiet() {
    return std::make_shared<spdlog::logger>("", std::make_shared<spdlog::sinks::null_sink_mt>());
}

// A blocking client.
class Client {
public:
    explicit Client(const std::string& address) {
        const auto port = std::stoi(address.substr(address.rfind(':') + 1));
        socket_.connect({asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(port)});
    }
    void send(std::string_view text) { asio::write(socket_, asio::buffer(text)); }
    std::string receive(std::size_t bytes) {
        std::string text(bytes, 0);
        boost::system::error_code error;
        text.resize(asio::read(socket_, asio::buffer(text), error));
        return text;
    }
    bool at_end() { return receive(1).empty(); }
    tcp::socket& socket() { return socket_; }

private:
    asio::io_context context_;
    tcp::socket socket_{context_};
};

Task<void> echo(Stream& stream) {
    std::string text(1024, 0);
    const MutableBytes into{reinterpret_cast<std::byte*>(text.data()), text.size()};
    while (true) {
        stream.set_idle(true);
        auto bytes = co_await stream.read_some(into);
        stream.set_idle(false);
        if (!bytes || *bytes == 0) co_return;
        const Bytes half = Bytes(into).first(*bytes / 2);
        const Bytes rest = Bytes(into).subspan(half.size(), *bytes - half.size());
        const Bytes pieces[] = {half, {}, rest};
        auto written = co_await stream.write(pieces, 10s);
        if (!written.ok()) co_return;
    }
}

TcpServer::Options options() {
    TcpServer::Options out;
    out.tick = 5ms;
    return out;
}

}  // namespace

TEST_CASE("bytes go both ways, on every I/O thread") {
    TcpServer server(options(), echo, quiet());
    const std::string address = server.start().value();
    std::list<Client> clients;
    for (int i = 0; i < 8; ++i) clients.emplace_back(address);
    for (Client& client : clients) {
        client.send("hello");
        CHECK(client.receive(5) == "hello");
    }
    CHECK(server.connections() == 8);
    server.stop(0ms);
    CHECK(server.connections() == 0);
    for (Client& client : clients) CHECK(client.at_end());
}

TEST_CASE("a bad address and one in use are told apart") {
    TcpServer server(options(), echo, quiet());
    const std::string address = server.start().value();
    auto again = options();
    again.address = address;
    CHECK(TcpServer(again, echo, quiet()).start().code() == Code::already_exists);
    for (const char* bad : {"nonsense", "127.0.0.1:", "127.0.0.1:x", "not an address:1"}) {
        CAPTURE(bad);
        again.address = bad;
        CHECK(TcpServer(again, echo, quiet()).start().code() == Code::invalid_argument);
    }
}

TEST_CASE("a silent client is cut at its deadline and a patient server is not") {
    std::promise<Code> outcome;
    TcpServer server(
        options(),
        [&](Stream& stream) -> Task<void> {
            std::byte byte;
            const MutableBytes into(&byte, 1);
            stream.expires_after(20ms);
            auto read = co_await stream.read_some(into);
            outcome.set_value(read.code());
        },
        quiet());
    Client client(server.start().value());
    CHECK(outcome.get_future().get() == Code::timed_out);
    CHECK(client.at_end());
}

TEST_CASE("a client that stops reading is cut") {
    std::promise<Code> outcome;
    TcpServer server(
        options(),
        [&](Stream& stream) -> Task<void> {
            const std::string much(64 << 20, 'x');
            const Bytes pieces[] = {as_bytes(much)};
            auto written = co_await stream.write(pieces, 30ms);
            outcome.set_value(written.code());
        },
        quiet());
    Client client(server.start().value());
    CHECK(outcome.get_future().get() == Code::timed_out);
}

TEST_CASE("many pieces arrive in order, however the kernel splits them") {
    constexpr std::size_t kPieces = 300;
    std::string all;
    for (std::size_t i = 0; i < kPieces; ++i) all += std::string(i * 40, static_cast<char>(i));
    TcpServer server(
        options(),
        [&](Stream& stream) -> Task<void> {
            std::vector<Bytes> pieces;
            Bytes rest = as_bytes(all);
            for (std::size_t i = 0; i < kPieces; ++i) {
                pieces.push_back(rest.first(i * 40));
                rest = rest.subspan(i * 40);
            }
            auto written = co_await stream.write(pieces, 10s);
            CHECK(written.ok());
        },
        quiet());
    Client client(server.start().value());
    CHECK(client.receive(all.size()) == all);
    CHECK(client.at_end());
}

TEST_CASE("connections beyond the limit wait their turn") {
    auto limited = options();
    limited.connections_max = 1;
    TcpServer server(limited, echo, quiet());
    const std::string address = server.start().value();
    auto first = std::make_unique<Client>(address);
    first->send("a");
    CHECK(first->receive(1) == "a");
    Client second(address);
    second.send("b");
    CHECK(server.connections() == 1);
    first.reset();
    CHECK(second.receive(1) == "b");
}

TEST_CASE("at the limit the client that has been idle longest gives way") {
    auto limited = options();
    limited.io_threads = 1;
    limited.connections_max = 2;
    TcpServer server(limited, echo, quiet());
    const std::string address = server.start().value();
    Client first(address);
    first.send("a");
    CHECK(first.receive(1) == "a");
    Client second(address);
    second.send("b");
    CHECK(second.receive(1) == "b");
    Client third(address);
    third.send("c");
    CHECK(third.receive(1) == "c");
    CHECK(first.at_end());
    second.send("d");
    CHECK(second.receive(1) == "d");
}

TEST_CASE("a peer that has ended its side has hung up, whatever it sent before") {
    std::promise<bool> at_first;
    std::promise<void> seen;
    TcpServer server(
        options(),
        [&](Stream& stream) -> Task<void> {
            at_first.set_value(stream.hung_up());
            auto executor = co_await asio::this_coro::executor;
            Event never(executor);
            while (!stream.hung_up()) co_await never.wait_for(1ms);
            seen.set_value();
        },
        quiet());
    Client client(server.start().value());
    client.send("unread");
    CHECK_FALSE(at_first.get_future().get());
    client.socket().shutdown(tcp::socket::shutdown_send);
    seen.get_future().wait();
}

TEST_CASE("a job runs on a worker and its value comes back to the I/O thread") {
    asio::io_context context{1};
    ThreadPool pool({.threads = 1, .queue_max = 4});
    auto where = std::this_thread::get_id();
    auto script = [&]() -> Task<int> {
        auto job = [&] { return std::this_thread::get_id() != where ? 42 : 0; };
        auto value = co_await run_on(pool, job);
        CHECK(std::this_thread::get_id() == where);
        co_return value.value();
    };
    auto future = asio::co_spawn(context, script, asio::use_future);
    const auto work = asio::make_work_guard(context);
    while (future.wait_for(0s) != std::future_status::ready) context.run_one();
    CHECK(future.get() == 42);
}

TEST_CASE("a full queue is told at once and a throwing job does not escape") {
    asio::io_context context{1};
    std::latch begun(1);
    std::latch go(1);
    ThreadPool pool({.threads = 1, .queue_max = 1});
    REQUIRE(pool.post([&] {
        begun.count_down();
        go.wait();
    }));
    begun.wait();
    REQUIRE(pool.post([] {}));
    auto script = [&]() -> Task<void> {
        auto job = []() -> int { throw std::runtime_error("boom"); };
        auto refused = co_await run_on(pool, job);
        CHECK(refused.code() == Code::unavailable);
        go.count_down();
        while (true) {
            auto thrown = co_await run_on(pool, job);
            if (thrown.code() == Code::unavailable) continue;
            CHECK(thrown.code() == Code::io_error);
            break;
        }
    };
    auto future = asio::co_spawn(context, script, asio::use_future);
    const auto work = asio::make_work_guard(context);
    while (future.wait_for(0s) != std::future_status::ready) context.run_one();
    future.get();
}

TEST_CASE("stop closes idle clients at once and lets a busy one finish") {
    std::latch begun(1);
    std::latch go(1);
    ThreadPool pool({.threads = 1});
    TcpServer server(
        options(),
        [&](Stream& stream) -> Task<void> {
            stream.set_idle(true);
            std::byte byte{};
            const MutableBytes into(&byte, 1);
            auto read = co_await stream.read_some(into);
            stream.set_idle(false);
            if (!read || *read == 0) co_return;
            auto job = [&] {
                begun.count_down();
                go.wait();
                return 1;
            };
            auto value = co_await run_on(pool, job);
            CHECK(value.ok());
            CHECK(stream.stopping());
            const Bytes pieces[] = {Bytes(into)};
            auto written = co_await stream.write(pieces, 10s);
            CHECK(written.ok());
        },
        quiet());
    const std::string address = server.start().value();
    Client busy(address);
    busy.send("x");
    begun.wait();
    Client idle(address);
    std::thread stopper([&] { server.stop(60s); });
    CHECK(idle.at_end());
    go.count_down();
    CHECK(busy.receive(1) == "x");
    stopper.join();
    pool.stop();
    CHECK(busy.at_end());
}

TEST_CASE("stop cuts who does not finish in time") {
    TcpServer server(
        options(),
        [](Stream& stream) -> Task<void> {
            std::byte byte;
            const MutableBytes into(&byte, 1);
            auto read = co_await stream.read_some(into);
            CHECK(read.code() == Code::cancelled);
        },
        quiet());
    Client client(server.start().value());
    while (server.connections() == 0) std::this_thread::yield();
    server.stop(10ms);
    CHECK(client.at_end());
}
