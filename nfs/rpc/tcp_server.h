#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "nfs/rpc/connection.h"
#include "objstore/base/status.h"

namespace nfs {

// Serves RPC programs on one TCP port: accepts, and gives each connection to one of a few threads
// for life, so that connections need no locks. Threads: `start` and `stop` by one caller.
class TcpServer final {
public:
    struct Options {
        std::string host = "127.0.0.1";
        std::uint16_t port = 0;  // 0: any free one
        std::size_t io_threads = 2;
        std::size_t worker_threads = 8;
        std::size_t worker_queue_max = 1024;
        std::size_t connection_count_max = 1024;
        ConnectionLimits limits;
        MemoryBudget::Options memory;
    };
    struct Address {
        std::string host;
        std::uint16_t port = 0;
    };

    // All must outlive this.
    TcpServer(Options options, Dispatcher& dispatcher, BlockPool& blocks, spdlog::logger& log);
    ~TcpServer();  // stops at once

    // Where it listens. invalid_argument: no such address. unavailable: the port is taken.
    objstore::Result<Address> start();
    // Refuses new connections and calls, ends what has begun and sends its replies for at most
    // `grace`, then closes. Returns when no call runs any more. Safe to repeat.
    void stop(std::chrono::milliseconds grace);

    std::size_t connection_count() const;

private:
    class Impl;
    const std::unique_ptr<Impl> impl_;
};

}  // namespace nfs
