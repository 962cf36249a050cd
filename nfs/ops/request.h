#pragma once

#include <optional>

#include <spdlog/logger.h>

#include "fs/vfs/vfs.h"
#include "nfs/ops/arguments.h"
#include "nfs/ops/error.h"
#include "nfs/ops/handle.h"
#include "nfs/rpc/service.h"
#include "nfs/xdr/block_pool.h"

namespace nfs {

using objstore::InodeId;

struct NfsOptions {
    bool squash_root = true;
    std::uint32_t anonymous_uid = 65534;
    std::uint32_t anonymous_gid = 65534;
    bool export_root = true;  // `/`: all buckets. Each bucket is exported as `/BUCKET` in any case
    std::uint32_t transfer_bytes_max = 1024 * 1024;       // rtmax and wtmax
    std::uint32_t directory_bytes_preferred = 64 * 1024;  // dtpref
};

// What all calls work with. Everything must outlive it.
struct OpsContext {
    fs::Vfs& vfs;
    const HandleCodec& handles;
    BlockPool& blocks;
    spdlog::logger& log;
    NfsOptions options;
    std::uint64_t fsid = 0;  // the same for all: links and renames within a mount can then be tried
};

// Who the file system is asked for: the caller as it says it is, after squashing.
fs::Credentials credentials_of(const Caller& caller, const NfsOptions& options);

// One call on its way. With `may_wait` false only memory is asked. Threads: one.
class Request final {
public:
    Request(OpsContext& context, const Call& call, bool may_wait);

    Reader& args() { return args_; }
    const fs::Credentials& who() const { return who_; }
    bool may_wait() const { return may_wait_; }
    OpsContext& context() { return context_; }
    fs::Vfs& vfs() { return context_.vfs; }

    struct Target {
        NfsStatus status = NfsStatus::ok;
        FileHandle handle;
        bool ok() const { return status == NfsStatus::ok; }
    };
    // badhandle: we did not make it. stale: what it was mounted from is not exported any more.
    Target resolve(HandleArg handle) const;

    // Attributes to go with an answer: none where they can not be had.
    std::optional<fs::Attributes> attributes(InodeId inode);
    // nothing: memory does not know, and it may not wait.
    std::optional<objstore::Result<fs::Attributes>> getattr(InodeId inode);
    // The error as the client hears of it; what is our fault is logged.
    NfsStatus failed(const objstore::Status& status);

private:
    OpsContext& context_;
    const Call& call_;
    Reader args_;
    const fs::Credentials who_;
    const bool may_wait_;
};

}  // namespace nfs
