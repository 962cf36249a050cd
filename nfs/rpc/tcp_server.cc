#include "nfs/rpc/tcp_server.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <optional>
#include <thread>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>

#include "objstore/base/named_thread.h"

namespace nfs {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using objstore::Result;
using objstore::Status;

namespace {

constexpr std::chrono::milliseconds kAcceptRetry{100};

Peer peer_of(const tcp::endpoint& endpoint) {
    const asio::ip::address address = endpoint.address();
    const auto v6 = address.is_v6()
                        ? address.to_v6()
                        : asio::ip::make_address_v6(asio::ip::v4_mapped, address.to_v4());
    return {std::bit_cast<PeerAddress>(v6.to_bytes()), endpoint.port()};
}

}  // namespace

class TcpServer::Impl final {
public:
    Impl(Options options, Dispatcher& dispatcher, BlockPool& blocks, spdlog::logger& log);
    ~Impl() { stop(std::chrono::milliseconds(0)); }

    Result<Address> start();
    void stop(std::chrono::milliseconds grace);
    std::size_t connection_count() const { return count_.get(); }

private:
    // A thread and the connections that live on it.
    struct Loop {
        asio::io_context context{1};
        asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
        std::vector<std::weak_ptr<Connection>> connections;  // used on the thread only
        std::thread thread;
    };
    Status listen();
    void accept();
    void on_accept(error_code error, tcp::socket socket, Loop& loop);
    void adopt(tcp::socket socket, Loop& loop);
    void for_each_connection(void (Connection::*action)());

    const Options options_;
    spdlog::logger& log_;
    MemoryBudget memory_;
    objstore::ThreadPool workers_;
    ConnectionCount count_;
    ConnectionHost host_;
    std::atomic<bool> stopping_{false};
    std::vector<std::unique_ptr<Loop>> loops_;
    std::size_t next_loop_ = 0;
    bool refusing_ = false;  // said so already
    // Of the first loop, and used on its thread only once it runs.
    std::optional<tcp::acceptor> acceptor_;
    std::optional<asio::steady_timer> accept_timer_;
};

TcpServer::Impl::Impl(Options options,
                      Dispatcher& dispatcher,
                      BlockPool& blocks,
                      spdlog::logger& log)
    : options_(std::move(options)),
      log_(log),
      memory_(options_.memory),
      workers_({.threads = options_.worker_threads,
                .queue_max = options_.worker_queue_max,
                .name = "nfs-worker"}),
      host_{dispatcher, blocks, memory_, workers_, log, count_, options_.limits} {
    ASSERT(options_.io_threads > 0);
    ASSERT(options_.worker_threads > 0);
}

Status TcpServer::Impl::listen() {
    const std::string port = std::to_string(options_.port);
    error_code error;
    tcp::resolver resolver(loops_.front()->context);
    const auto found = resolver.resolve(options_.host, port, tcp::resolver::passive, error);
    if (error || found.empty()) {
        return Status::invalid_argument(
            fmt::format("nfs: no such address {}: {}", options_.host, error.message()));
    }
    const tcp::endpoint endpoint = *found.begin();
    acceptor_.emplace(loops_.front()->context);
    acceptor_->open(endpoint.protocol(), error);
    if (!error) acceptor_->set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_->bind(endpoint, error);
    if (!error) acceptor_->listen(asio::socket_base::max_listen_connections, error);
    if (!error) return {};
    return Status::unavailable(
        fmt::format("nfs: listen on {}:{}: {}", options_.host, port, error.message()));
}

Result<TcpServer::Address> TcpServer::Impl::start() {
    ASSERT(loops_.empty());
    for (std::size_t i = 0; i < options_.io_threads; ++i) {
        loops_.push_back(std::make_unique<Loop>());
    }
    TRY(listen());
    accept_timer_.emplace(loops_.front()->context);
    const tcp::endpoint bound = acceptor_->local_endpoint();
    accept();
    for (const auto& loop : loops_) {
        loop->thread =
            objstore::named_thread("nfs-io", [&context = loop->context] { context.run(); });
    }
    return Address{bound.address().to_string(), bound.port()};
}

void TcpServer::Impl::accept() {
    Loop& loop = *loops_[next_loop_++ % loops_.size()];
    acceptor_->async_accept(loop.context, [this, &loop](error_code error, tcp::socket socket) {
        on_accept(error, std::move(socket), loop);
    });
}

void TcpServer::Impl::on_accept(error_code error, tcp::socket socket, Loop& loop) {
    if (stopping_) return;
    if (error) {
        // Most likely too many open files, which passes. Trying again at once would spin.
        if (!refusing_) log_.warn("nfs: accept failed error=\"{}\"", error.message());
        refusing_ = true;
        accept_timer_->expires_after(kAcceptRetry);
        accept_timer_->async_wait([this](error_code cancelled) {
            if (!cancelled && !stopping_) accept();
        });
        return;
    }
    if (count_.get() >= options_.connection_count_max) {
        if (!refusing_)
            log_.warn("nfs: too many connections max={}", options_.connection_count_max);
        refusing_ = true;
        socket.close(error);
    } else {
        refusing_ = false;
        asio::post(loop.context, [this, &loop, moved = std::move(socket)]() mutable {
            adopt(std::move(moved), loop);
        });
    }
    accept();
}

void TcpServer::Impl::adopt(tcp::socket socket, Loop& loop) {
    error_code error;
    const tcp::endpoint endpoint = socket.remote_endpoint(error);
    if (error || stopping_) return;  // it is gone already
    std::erase_if(loop.connections, [](const auto& connection) { return connection.expired(); });
    auto connection = std::make_shared<Connection>(std::move(socket), peer_of(endpoint), host_);
    loop.connections.push_back(connection);
    connection->start();
}

void TcpServer::Impl::for_each_connection(void (Connection::*action)()) {
    for (const auto& loop : loops_) {
        asio::post(loop->context, [action, &connections = loop->connections] {
            for (const auto& weak : connections) {
                if (const auto connection = weak.lock()) ((*connection).*action)();
            }
        });
    }
}

void TcpServer::Impl::stop(std::chrono::milliseconds grace) {
    if (stopping_.exchange(true) || loops_.empty()) return;
    if (loops_.front()->thread.joinable()) {
        asio::post(loops_.front()->context, [this] {
            error_code ignored;
            acceptor_->close(ignored);
            accept_timer_->cancel();
        });
        for_each_connection(&Connection::finish);
        if (!count_.wait_for_none(grace)) for_each_connection(&Connection::close);
    }
    workers_.stop();
    for (const auto& loop : loops_) {
        loop->work.reset();
        loop->context.stop();
        if (loop->thread.joinable()) loop->thread.join();
    }
    acceptor_.reset();
    accept_timer_.reset();
    loops_.clear();
    ASSERT(count_.get() == 0);
}

TcpServer::TcpServer(Options options,
                     Dispatcher& dispatcher,
                     BlockPool& blocks,
                     spdlog::logger& log)
    : impl_(std::make_unique<Impl>(std::move(options), dispatcher, blocks, log)) {}

TcpServer::~TcpServer() = default;

Result<TcpServer::Address> TcpServer::start() {
    return impl_->start();
}

void TcpServer::stop(std::chrono::milliseconds grace) {
    impl_->stop(grace);
}

std::size_t TcpServer::connection_count() const {
    return impl_->connection_count();
}

}  // namespace nfs
