#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "objstore/base/status.h"
#include "objstore/net/io_thread.h"
#include "objstore/net/stream.h"

namespace spdlog {
class logger;
}

namespace objstore {

// Accepts TCP connections and runs one coroutine for each, on one of a few I/O threads.
class TcpServer final {
public:
    struct Options {
        std::string address = "127.0.0.1:0";  // host:port, [v6]:port or :port; port 0: a free one
        std::size_t io_threads = 2;
        std::size_t connections_max = 4096;   // beyond, an idle one closes or the new one waits
        std::chrono::milliseconds tick{250};  // how exactly deadlines are kept
    };
    // Talks to one client. The connection closes when it returns. What it throws is logged. It must
    // not outlive what it refers to: stop() waits for all of them.
    using Session = std::function<Task<void>(Stream&)>;

    TcpServer(Options options, Session session, std::shared_ptr<spdlog::logger> logger);
    ~TcpServer();  // stops, without grace

    // Binds and listens. Gives the bound address, as "127.0.0.1:9000". invalid_argument: not an
    // address. already_exists: in use. Call once.
    Result<std::string> start();

    // Accepts no more, lets sessions finish what they do for `grace`, then cuts them and waits
    // until all have ended (a job of theirs that still runs on a pool is waited for). Safe to
    // repeat.
    void stop(std::chrono::milliseconds grace);

    std::size_t connections() const;

private:
    class Acceptor;

    IoThread& least_loaded();
    void cut_longest_idle();
    Task<void> accept_loop();
    Task<void> run_session(Socket socket, IoThread* thread);

    const Options options_;
    const Session session_;
    const std::shared_ptr<spdlog::logger> logger_;  // loggers are shared by their nature
    std::vector<std::unique_ptr<IoThread>> threads_;
    std::unique_ptr<Acceptor> acceptor_;
    std::atomic<std::size_t> sessions_{0};
    bool stopped_ = false;
};

}  // namespace objstore
