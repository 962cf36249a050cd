#include "nfs/server.h"

#include "nfs/ops/programs.h"

namespace nfs {

using objstore::Result;

namespace {

std::uint64_t derived(const SipKey& secret, std::string_view purpose) {
    return siphash(secret, objstore::as_bytes(purpose));
}

}  // namespace

// In the order in which they need each other.
struct Server::Parts {
    Parts(const Options& options, fs::Vfs& vfs, const objstore::Clock& clock, spdlog::logger& log)
        : handles(options.secret),
          blocks(options.blocks),
          context{vfs, handles, blocks, log, options.nfs, derived(options.secret, "fsid")},
          programs(context),
          replies(options.replies,
                  clock,
                  {derived(options.secret, "replies"), derived(options.secret, "arguments")}),
          dispatcher(programs, replies),
          tcp(options.tcp, dispatcher, blocks, log) {}

    const HandleCodec handles;
    BlockPool blocks;
    OpsContext context;
    Programs programs;
    ReplyCache replies;
    Dispatcher dispatcher;
    TcpServer tcp;
};

Server::Server(const Options& options,
               fs::Vfs& vfs,
               const objstore::Clock& clock,
               spdlog::logger& log)
    : parts_(std::make_unique<Parts>(options, vfs, clock, log)) {
    // A WRITE of the size we offer must fit into a record, with its header.
    ASSERT(options.nfs.transfer_bytes_max + 2048 <= options.tcp.limits.record_bytes_max);
    ASSERT(options.nfs.transfer_bytes_max <= options.blocks.large_bytes);
}

Server::~Server() = default;

Result<TcpServer::Address> Server::start() {
    return parts_->tcp.start();
}

void Server::stop(std::chrono::milliseconds grace) {
    parts_->tcp.stop(grace);
}

}  // namespace nfs
