#include "objstore/net/server.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/basic_resolver.hpp>
#include <boost/asio/post.hpp>
#include <spdlog/logger.h>

#include "objstore/net/event.h"

namespace objstore {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::chrono::milliseconds kAcceptPause{100};  // when there are no descriptors left

struct HostPort {
    std::string host;
    std::string port;
};

Result<HostPort> split_address(const std::string& address) {
    const std::size_t colon = address.rfind(':');
    if (colon == std::string::npos || colon + 1 == address.size()) {
        return Status::invalid_argument("address " + address + ": expecting HOST:PORT");
    }
    std::string host = address.substr(0, colon);
    if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
        host = host.substr(1, host.size() - 2);
    }
    if (host.empty()) host = "0.0.0.0";
    return HostPort{std::move(host), address.substr(colon + 1)};
}

std::string to_text(const tcp::endpoint& endpoint) {
    const std::string host = endpoint.address().to_string();
    const std::string port = std::to_string(endpoint.port());
    return endpoint.address().is_v6() ? "[" + host + "]:" + port : host + ":" + port;
}

Result<tcp::endpoint> resolve(asio::io_context& context, const std::string& address) {
    auto parts = split_address(address);
    if (!parts) return std::move(parts).error();
    asio::ip::basic_resolver<tcp, IoExecutor> resolver(context.get_executor());
    error_code error;
    const auto found =
        resolver.resolve(parts->host, parts->port, asio::ip::resolver_base::passive, error);
    if (error || found.empty()) {
        return Status::invalid_argument("address " + address + ": " + error.message());
    }
    return found.begin()->endpoint();
}

}  // namespace

// What accepts, on the first I/O thread.
class TcpServer::Acceptor {
public:
    explicit Acceptor(IoThread& io_thread)
        : thread(io_thread),
          socket(thread.context().get_executor()),
          room(thread.context().get_executor()) {}

    IoThread& thread;
    asio::basic_socket_acceptor<tcp, IoExecutor> socket;
    Event room;  // a session has ended
    bool open = true;

    std::mutex mutex;
    std::condition_variable ended;
    bool loop_running = false;  // guarded by `mutex`, as is the count of sessions when it falls
};

TcpServer::TcpServer(Options options, Session session, std::shared_ptr<spdlog::logger> logger)
    : options_(std::move(options)), session_(std::move(session)), logger_(std::move(logger)) {
    ASSERT(options_.io_threads > 0);
    ASSERT(options_.connections_max > 0);
    for (std::size_t i = 0; i < options_.io_threads; ++i) {
        threads_.push_back(std::make_unique<IoThread>(options_.tick));
    }
    acceptor_ = std::make_unique<Acceptor>(*threads_.front());
}

TcpServer::~TcpServer() {
    stop(std::chrono::milliseconds(0));
}

Result<std::string> TcpServer::start() {
    ASSERT(!acceptor_->loop_running);
    auto found = resolve(acceptor_->thread.context(), options_.address);
    if (!found) return std::move(found).error();
    const tcp::endpoint endpoint = *found;
    error_code error;
    auto& socket = acceptor_->socket;
    socket.open(endpoint.protocol(), error);
    if (!error) socket.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) socket.bind(endpoint, error);
    if (!error) socket.listen(tcp::acceptor::max_listen_connections, error);
    const std::string what = "listen on " + options_.address + ": " + error.message();
    if (error == asio::error::address_in_use) return Status::already_exists(what);
    if (error) return Status::io_error(what);
    const tcp::endpoint bound = socket.local_endpoint(error);
    if (error) return Status::io_error(what);
    acceptor_->loop_running = true;
    asio::co_spawn(acceptor_->thread.context(), accept_loop(), asio::detached);
    for (auto& thread : threads_) thread->start();
    return to_text(bound);
}

IoThread& TcpServer::least_loaded() {
    IoThread* best = threads_.front().get();
    for (auto& thread : threads_) {
        if (thread->streams() < best->streams()) best = thread.get();
    }
    return *best;
}

void TcpServer::cut_longest_idle() {
    const auto longest =
        std::min_element(threads_.begin(), threads_.end(), [](const auto& a, const auto& b) {
            return a->idle_since() < b->idle_since();
        });
    if ((*longest)->idle_since() != IoThread::kNoneIdle) (*longest)->cut_longest_idle();
}

Task<void> TcpServer::accept_loop() {
    Acceptor& acceptor = *acceptor_;
    error_code complained;  // told once, though it fails ten times a second
    while (acceptor.open) {
        if (sessions_.load() >= options_.connections_max) {
            // Nobody is cut before somebody knocks.
            co_await acceptor.socket.async_wait(Socket::wait_read, kAsTuple);
            if (!acceptor.open) break;
            if (sessions_.load() < options_.connections_max) continue;
            cut_longest_idle();
            co_await acceptor.room.wait_for(options_.tick);
            continue;
        }
        IoThread& thread = least_loaded();
        auto executor = thread.context().get_executor();
        auto [error, socket] = co_await acceptor.socket.async_accept(executor, kAsTuple);
        if (!error) {
            complained = {};
            sessions_.fetch_add(1);
            asio::co_spawn(executor, run_session(std::move(socket), &thread), asio::detached);
            continue;
        }
        if (!acceptor.open) break;
        if (error != complained) logger_->warn("accept error=\"{}\"", error.message());
        complained = error;
        asio::basic_waitable_timer<std::chrono::steady_clock,
                                   asio::wait_traits<std::chrono::steady_clock>,
                                   IoExecutor>
            pause(acceptor.socket.get_executor(), kAcceptPause);
        co_await pause.async_wait(kAsTuple);
    }
    const std::lock_guard lock(acceptor.mutex);
    acceptor.loop_running = false;
    acceptor.ended.notify_all();
}

Task<void> TcpServer::run_session(Socket socket, IoThread* thread) {
    try {
        Stream stream(std::move(socket), *thread);
        co_await session_(stream);
    } catch (const std::exception& e) {
        logger_->error("connection error=\"{}\"", e.what());
    }
    Acceptor& acceptor = *acceptor_;
    {
        const std::lock_guard lock(acceptor.mutex);
        sessions_.fetch_sub(1);
        acceptor.ended.notify_all();
    }
    // Still there: stop() joins this thread before anything goes away.
    acceptor.room.set();
}

void TcpServer::stop(std::chrono::milliseconds grace) {
    if (stopped_) return;
    stopped_ = true;
    Acceptor& acceptor = *acceptor_;
    asio::post(acceptor.thread.context(), [&acceptor] {
        error_code error;
        acceptor.open = false;
        acceptor.socket.close(error);
        acceptor.room.set();
    });
    const auto none_left = [&] { return sessions_.load() == 0 && !acceptor.loop_running; };
    for (auto& thread : threads_) thread->begin_stop();
    std::unique_lock lock(acceptor.mutex);
    if (!acceptor.ended.wait_for(lock, grace, none_left)) {
        for (auto& thread : threads_) thread->cut_all();
        acceptor.ended.wait(lock, none_left);
    }
    lock.unlock();
    for (auto& thread : threads_) thread->stop();
}

std::size_t TcpServer::connections() const {
    return sessions_.load();
}

}  // namespace objstore
