#include "nfs/rpc/tcp_server.h"

#include <future>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <spdlog/sinks/null_sink.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace nfs;
using namespace std::chrono_literals;

namespace {

// Program 5, version 1. 0 echoes at once, 1 echoes from a worker, 2 counts and must not be
// repeated, 3 answers with as many bytes as its argument says, 4 waits to be released.
class EchoService final : public Service {
public:
    explicit EchoService(BlockPool& blocks) : blocks_(blocks) {}

    Lookup find(std::uint32_t program, std::uint32_t, std::uint32_t procedure) const override {
        if (program != 5) return NoProgram{};
        return Known{procedure == 2};
    }
    std::size_t large_reply_bytes(const Call& call) const override {
        Reader in(call.args);
        const std::size_t bytes = call.procedure == 3 ? in.u32() : call.args.size();
        return bytes > 4096 ? bytes + 4096 : 0;
    }
    Answer try_call(const Peer&, const Call& call, Writer& out) override {
        Reader in(call.args);
        if (call.procedure == 0) {
            out.opaque(in.opaque(1 << 20));
            return Answer::success;
        }
        if (call.procedure != 3) return Answer::not_now;
        const std::uint32_t size_bytes = in.u32();
        const BlockRef block = blocks_.take(size_bytes);
        std::fill_n(block->data(), size_bytes, std::byte{'d'});
        out.opaque({block->span().first(size_bytes), block});
        return Answer::success;
    }
    Answer call(const Peer&, const Call& call, Writer& out) override {
        Reader in(call.args);
        if (call.procedure == 2) out.u32(++count);
        if (call.procedure == 1) out.opaque(in.opaque(1 << 20));
        if (call.procedure == 4) {
            entered.set_value();
            released.get_future().wait();
            out.u32(44);
        }
        return Answer::success;
    }
    Answer refuse(const Call&, Writer& out) override {
        out.u32(0);
        return Answer::success;
    }

    std::atomic<std::uint32_t> count{0};
    std::promise<void> entered;
    std::promise<void> released;

private:
    BlockPool& blocks_;
};

// A blocking client. Every receive fails the test when nothing comes for ten seconds.
class Client final {
public:
    explicit Client(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const timeval patience{10, 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
        REQUIRE(::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
    }
    ~Client() { ::close(fd_); }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    // False when the server has closed.
    bool send(std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0) return false;
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }
    std::string receive(std::size_t size_bytes) {
        std::string bytes(size_bytes, '\0');
        std::size_t have = 0;
        while (have < size_bytes) {
            const ssize_t got = ::recv(fd_, bytes.data() + have, size_bytes - have, 0);
            REQUIRE(got > 0);
            have += static_cast<std::size_t>(got);
        }
        return bytes;
    }
    // A whole reply without its marker.
    std::string reply() {
        const std::string marker = receive(4);
        return receive(load_u32(objstore::as_bytes(marker).data()) & 0x7fffffff);
    }
    // The server ends the connection, after whatever else it sends.
    bool is_closed() {
        std::array<char, 4096> rest;
        ssize_t got = 0;
        while ((got = ::recv(fd_, rest.data(), rest.size(), 0)) > 0) {
        }
        return got == 0 || errno == ECONNRESET;
    }
    int fd() const { return fd_; }

private:
    const int fd_;
};

std::string call_of(std::uint32_t xid, std::uint32_t procedure, std::string_view args = {}) {
    Gather out;
    Writer writer(out);
    writer.u32(0);
    for (const std::uint32_t word : {xid, 0U, 2U, 5U, 1U, procedure}) writer.u32(word);
    writer.zeros(4);
    writer.fixed(objstore::as_bytes(args));
    end_record(out, {});
    const auto bytes = out.flatten();
    return std::string(objstore::as_text(bytes));
}

std::string opaque_of(std::string_view bytes) {
    Gather out;
    Writer(out).text(bytes);
    const auto encoded = out.flatten();
    return std::string(objstore::as_text(encoded));
}

std::string word_of(std::uint32_t value) {
    std::string bytes(4, '\0');
    store_u32(reinterpret_cast<std::byte*>(bytes.data()), value);
    return bytes;
}

std::uint32_t xid_of(std::string_view reply) {
    return load_u32(objstore::as_bytes(reply).data());
}
std::string result_of(const std::string& reply) {
    return reply.substr(24);
}

struct Fixture {
    Fixture() : Fixture(TcpServer::Options{}) {}
    explicit Fixture(const TcpServer::Options& options) {
        server.emplace(options, dispatcher, blocks, log);
        const auto address = server->start();
        REQUIRE(address.ok());
        port = address->port;
    }
    ~Fixture() { server->stop(1s); }

    objstore::SystemClock clock;
    spdlog::logger log{"test", std::make_shared<spdlog::sinks::null_sink_mt>()};
    BlockPool blocks{{}};
    EchoService service{blocks};
    ReplyCache replies{{}, clock, {1, 2}};
    Dispatcher dispatcher{service, replies};
    std::optional<TcpServer> server;
    std::uint16_t port = 0;
};

struct ImpatientFixture : Fixture {
    static TcpServer::Options options() {
        TcpServer::Options options;
        options.limits.idle_max = options.limits.record_max = options.limits.stall_max = 100ms;
        options.limits.tick = 50ms;
        return options;
    }
    ImpatientFixture() : Fixture(options()) {}
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "calls sent together are all answered, from memory and by workers") {
    Client client(port);
    std::string calls;
    for (std::uint32_t xid = 0; xid < 500; ++xid) {
        calls += call_of(xid, xid % 2, opaque_of(std::to_string(xid)));
    }
    REQUIRE(client.send(calls));
    std::map<std::uint32_t, std::string> results;
    for (int i = 0; i < 500; ++i) {
        const std::string reply = client.reply();
        results[xid_of(reply)] = result_of(reply);
    }
    for (std::uint32_t xid = 0; xid < 500; ++xid) {
        CHECK(results[xid] == opaque_of(std::to_string(xid)));
    }
}

TEST_CASE_FIXTURE(Fixture, "records of 1 MiB go in and out whole") {
    Client client(port);
    for (std::uint32_t xid = 0; xid < 8; ++xid) {
        const std::string data(objstore::kMiB - xid, static_cast<char>('a' + xid));
        REQUIRE(client.send(call_of(xid, xid % 2, opaque_of(data))));
        CHECK(result_of(client.reply()) == opaque_of(data));
    }
    REQUIRE(client.send(call_of(9, 3, word_of(objstore::kMiB))));
    CHECK(result_of(client.reply()) == opaque_of(std::string(objstore::kMiB, 'd')));
}

TEST_CASE_FIXTURE(Fixture, "a call that was answered before a reconnect is not carried out again") {
    for (int i = 0; i < 3; ++i) {
        Client client(port);
        REQUIRE(client.send(call_of(77, 2)));
        CHECK(result_of(client.reply()) == word_of(1));
    }
    CHECK(service.count == 1);
}

TEST_CASE_FIXTURE(Fixture, "a record of hostile length or of something else ends the connection") {
    for (const std::string& bytes : {std::string("\xff\xff\xff\xff"),
                                     std::string("GET / HTTP/1.1\r\n\r\n"),
                                     word_of(0x80000000)}) {
        Client client(port);
        REQUIRE(client.send(bytes));
        CHECK(client.is_closed());
    }
    while (server->connection_count() > 0) std::this_thread::yield();
    CHECK(blocks.lent_bytes() == 0);
}

TEST_CASE_FIXTURE(Fixture, "a client that asks for much and takes nothing costs bounded memory") {
    Client client(port);
    std::string calls;
    for (std::uint32_t xid = 0; xid < 200; ++xid) calls += call_of(xid, 3, word_of(objstore::kMiB));
    REQUIRE(client.send(calls));
    // One that is answered later on another connection shows that the server has seen the others.
    Client other(port);
    for (std::uint32_t xid = 0; xid < 100; ++xid) {
        REQUIRE(other.send(call_of(xid, 1, opaque_of("x"))));
        other.reply();
        CHECK(blocks.lent_bytes() < 16 * objstore::kMiB);
    }
    for (std::uint32_t xid = 0; xid < 200; ++xid) CHECK(xid_of(client.reply()) == xid);
}

TEST_CASE_FIXTURE(Fixture, "records that are only announced take no memory from others") {
    constexpr std::size_t kClients = 40;
    std::vector<std::unique_ptr<Client>> hostile;
    for (std::size_t i = 0; i < kClients; ++i) {
        hostile.push_back(std::make_unique<Client>(port));
        REQUIRE(hostile.back()->send(word_of(0x80000000 | objstore::kMiB) + "a few bytes"));
    }
    while (blocks.lent_bytes() < kClients * blocks.small_bytes()) std::this_thread::yield();
    CHECK(blocks.lent_bytes() <= kClients * blocks.small_bytes());
    Client client(port);
    REQUIRE(client.send(call_of(1, 0, opaque_of("x"))));
    CHECK(result_of(client.reply()) == opaque_of("x"));
}

TEST_CASE("small calls are answered though others hold all memory, large ones when it is back") {
    TcpServer::Options options;
    options.memory = {.bytes_max = 3 * objstore::kMiB, .peer_bytes_max = 3 * objstore::kMiB};
    Fixture fixture(options);
    auto greedy = std::make_unique<Client>(fixture.port);
    std::string calls;
    for (std::uint32_t xid = 0; xid < 40; ++xid) calls += call_of(xid, 3, word_of(objstore::kMiB));
    REQUIRE(greedy->send(calls));
    // What the kernel takes is gone; then the server has to keep the rest.
    while (fixture.blocks.lent_bytes() < 2 * objstore::kMiB) std::this_thread::yield();
    Client client(fixture.port);
    for (std::uint32_t xid = 0; xid < 50; ++xid) {
        REQUIRE(client.send(call_of(xid, xid % 2, opaque_of("x"))));
        CHECK(result_of(client.reply()) == opaque_of("x"));
        // One more of which a part has been taken.
        CHECK(fixture.blocks.lent_bytes() < 5 * objstore::kMiB);
    }
    REQUIRE(client.send(call_of(99, 3, word_of(objstore::kMiB))));
    greedy.reset();
    CHECK(result_of(client.reply()) == opaque_of(std::string(objstore::kMiB, 'd')));
}

TEST_CASE_FIXTURE(ImpatientFixture, "a client that does not take its replies is cut") {
    Client client(port);
    std::string calls;
    for (std::uint32_t xid = 0; xid < 50; ++xid) calls += call_of(xid, 3, word_of(objstore::kMiB));
    REQUIRE(client.send(calls));
    while (server->connection_count() > 0) std::this_thread::yield();
    CHECK(client.is_closed());
}

TEST_CASE_FIXTURE(ImpatientFixture, "a client that sends a byte at a time is cut") {
    Client client(port);
    const std::string call = call_of(1, 0, opaque_of(std::string(1 << 20, 'x')));
    std::size_t sent = 0;
    while (sent < call.size() && client.send(call.substr(sent, 1))) {
        ++sent;
        std::this_thread::yield();
        if (server->connection_count() == 0) break;
    }
    CHECK(client.is_closed());
    CHECK(sent < call.size());
}

TEST_CASE_FIXTURE(ImpatientFixture, "a client that is silent for long is let go") {
    Client client(port);
    CHECK(client.is_closed());
}

TEST_CASE("connections above the limit are refused") {
    TcpServer::Options options;
    options.connection_count_max = 2;
    Fixture fixture(options);
    Client first(fixture.port);
    Client second(fixture.port);
    for (Client* client : {&first, &second}) {
        REQUIRE(client->send(call_of(1, 0, opaque_of("x"))));
        client->reply();
    }
    Client third(fixture.port);
    CHECK(third.is_closed());
    REQUIRE(first.send(call_of(2, 0, opaque_of("x"))));
    first.reply();
}

TEST_CASE("a call that finds the queue of the workers full is asked to come again") {
    TcpServer::Options options;
    options.worker_threads = 1;
    options.worker_queue_max = 1;
    Fixture fixture(options);
    Client client(fixture.port);
    REQUIRE(client.send(call_of(1, 4)));
    fixture.service.entered.get_future().wait();
    REQUIRE(client.send(call_of(2, 1, opaque_of("x")) + call_of(3, 1, opaque_of("y"))));
    const std::string refused = client.reply();
    CHECK(xid_of(refused) == 3);
    CHECK(result_of(refused) == word_of(0));
    fixture.service.released.set_value();
    CHECK(xid_of(client.reply()) == 1);
    CHECK(xid_of(client.reply()) == 2);
}

TEST_CASE_FIXTURE(Fixture, "stopping answers what has begun, then closes") {
    Client client(port);
    REQUIRE(client.send(call_of(1, 4)));
    service.entered.get_future().wait();
    auto stopping = std::async(std::launch::async, [&] { server->stop(10s); });
    service.released.set_value();
    CHECK(result_of(client.reply()) == word_of(44));
    CHECK(client.is_closed());
    stopping.get();
}

TEST_CASE_FIXTURE(Fixture, "a client that says no more still gets its replies") {
    Client client(port);
    REQUIRE(client.send(call_of(1, 1, opaque_of("x"))));
    ::shutdown(client.fd(), SHUT_WR);
    CHECK(result_of(client.reply()) == opaque_of("x"));
    CHECK(client.is_closed());
}

TEST_CASE_FIXTURE(Fixture, "a port that is taken is told") {
    TcpServer::Options options;
    options.port = port;
    TcpServer second(options, dispatcher, blocks, log);
    CHECK(second.start().code() == objstore::Code::unavailable);
    options.host = "256.0.0.1";
    TcpServer nowhere(options, dispatcher, blocks, log);
    CHECK(nowhere.start().code() == objstore::Code::invalid_argument);
}
