#pragma once

#include <chrono>
#include <memory>
#include <string>

#include <spdlog/logger.h>

#include "fs/vfs/vfs.h"
#include "nfs/ops/request.h"
#include "nfs/rpc/tcp_server.h"
#include "objstore/base/clock.h"

namespace nfs {

// The NFS door: NFSv3 and MOUNT on one TCP port, no port mapper, no locks. AUTH_SYS believes what
// clients say about their users, so it listens on loopback unless told otherwise.
// Threads: `start` and `stop` by one caller. What the constructor takes must outlive this.
class Server final {
public:
    struct Options {
        TcpServer::Options tcp;
        NfsOptions nfs;
        ReplyCache::Options replies;
        BlockPool::Options blocks;
        // The deployment's, the same after each start and on each node: it signs file handles.
        SipKey secret{};
    };

    Server(const Options& options, fs::Vfs& vfs, const objstore::Clock& clock, spdlog::logger& log);
    ~Server();

    // Where it listens. invalid_argument, unavailable: as TcpServer::start.
    objstore::Result<TcpServer::Address> start();
    // Refuses new calls, ends those that have begun, sends their replies for at most `grace`.
    // Safe to repeat.
    void stop(std::chrono::milliseconds grace);

private:
    struct Parts;
    const std::unique_ptr<Parts> parts_;
};

}  // namespace nfs
