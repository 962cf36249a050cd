#pragma once

#include <memory>
#include <optional>
#include <unordered_map>

#define FUSE_USE_VERSION 314
#include <fuse3/fuse_lowlevel.h>

#include "fs/fuse/invalidator.h"
#include "fs/fuse/kernel_inodes.h"
#include "fs/fuse/lock_waits.h"
#include "fs/fuse/reply_gate.h"
#include "fs/vfs/vfs.h"

// What the handlers of one mount's requests share. Private to fs/fuse.
namespace fs {

// The open files of a mount, whose addresses are the kernel's handles.
class OpenFiles final {
public:
    std::uint64_t add(std::unique_ptr<OpenFile> file) {
        OpenFile* const address = file.get();
        files_.with([&](Files& files) { files.emplace(address, std::move(file)); });
        return reinterpret_cast<std::uint64_t>(address);
    }
    // NOLINTNEXTLINE(performance-no-int-to-ptr): libfuse keeps a number for us
    static OpenFile* of(std::uint64_t handle) { return reinterpret_cast<OpenFile*>(handle); }
    static OpenFile* of(const fuse_file_info* info) {
        return info == nullptr ? nullptr : of(info->fh);
    }
    std::unique_ptr<OpenFile> take(std::uint64_t handle) {
        return files_.with([&](Files& files) {
            auto node = files.extract(of(handle));
            return node.empty() ? nullptr : std::move(node.mapped());
        });
    }
    // Those the kernel never released.
    void clear() {
        Files rest;
        files_.with([&](Files& files) { rest.swap(files); });
    }

private:
    using Files = std::unordered_map<OpenFile*, std::unique_ptr<OpenFile>>;
    objstore::Guarded<Files> files_;
};

class Session final {
public:
    struct Options {
        double timeout_seconds = 3600;  // of entries and attributes, also of absent names
    };
    struct Deps {
        Vfs& vfs;
        Invalidator& invalidator;
        KernelInodes& inodes;
        ReplyGate& gate;
        spdlog::logger& log;
    };
    Session(Options options, const Deps& deps)
        : options_(options),
          vfs(deps.vfs),
          invalidator(deps.invalidator),
          inodes(deps.inodes),
          gate(deps.gate),
          log(deps.log),
          locks(deps.vfs) {}

    // The reply to a request that ends with an entry: lookup, mkdir, link and the like.
    void reply_entry(fuse_req_t req,
                     std::uint64_t seen,
                     const KernelName& name,
                     const Result<Attributes>& found);
    void reply_attributes(fuse_req_t req, std::uint64_t seen, const Result<Attributes>& found);
    // An entry to send while the gate is passed.
    fuse_entry_param entry(const Attributes& attributes, InodeId parent, bool fresh);
    // Before the kernel is sent an entry, or after it moved one.
    void looked_up(InodeId inode, KernelName name) {
        expire(inodes.looked_up(inode, std::move(name)));
    }
    void renamed(InodeId inode, const KernelName& from, KernelName to) {
        expire(inodes.renamed(inode, from, std::move(to)));
    }
    void expire(std::optional<KernelName> name);
    void forget(InodeId inode) { inodes.forget(inode, 1); }

private:
    const Options options_;

public:
    Vfs& vfs;
    Invalidator& invalidator;
    KernelInodes& inodes;
    ReplyGate& gate;
    spdlog::logger& log;
    OpenFiles files;
    LockWaits locks;
    std::atomic<bool> can_expire{false};  // the kernel knows how to forget a name softly
};

inline Session& session_of(fuse_req_t req) {
    return *static_cast<Session*>(fuse_req_userdata(req));
}
Credentials caller(fuse_req_t req);
struct stat stat_of(const Attributes& attributes);
// A request that answers with its outcome alone.
void reply_status(fuse_req_t req, const Status& status);

// The table of handlers.
const fuse_lowlevel_ops& operations();
// Parts of it, one for each file.
void add_name_operations(fuse_lowlevel_ops& table);
void add_attribute_operations(fuse_lowlevel_ops& table);
void add_file_operations(fuse_lowlevel_ops& table);
void add_extent_operations(fuse_lowlevel_ops& table);
void add_directory_operations(fuse_lowlevel_ops& table);
void add_lock_operations(fuse_lowlevel_ops& table);

}  // namespace fs
