#include "fs/fuse/session.h"

#include <cerrno>

#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include "fs/fuse/errors.h"

namespace fs {
namespace {

// What programs use as the size of their buffers: requests are dearer than memory.
constexpr blksize_t kBufferBytes = 65'536;

timespec time_of(UnixNanos nanos) {
    constexpr UnixNanos kSecond = 1'000'000'000;
    timespec time{};
    time.tv_sec = nanos / kSecond;
    time.tv_nsec = nanos % kSecond;
    if (time.tv_nsec < 0) {  // Before 1970.
        time.tv_nsec += kSecond;
        --time.tv_sec;
    }
    return time;
}

mode_t type_bits(FileType type) {
    switch (type) {
        case FileType::regular:
            return S_IFREG;
        case FileType::directory:
            return S_IFDIR;
        case FileType::symlink:
            return S_IFLNK;
        case FileType::fifo:
            return S_IFIFO;
        case FileType::char_device:
            return S_IFCHR;
        case FileType::block_device:
            return S_IFBLK;
        case FileType::socket:
            return S_IFSOCK;
    }
    UNREACHABLE();
}

}  // namespace

struct stat stat_of(const Attributes& a) {
    struct stat st {};
    st.st_ino = a.inode;
    st.st_mode = type_bits(a.type) | a.mode;
    st.st_nlink = a.nlink;
    st.st_uid = a.uid;
    st.st_gid = a.gid;
    st.st_rdev = a.rdev;
    st.st_size = static_cast<off_t>(a.size);
    st.st_blksize = kBufferBytes;
    st.st_blocks = static_cast<blkcnt_t>((a.used_bytes + 511) / 512);
    st.st_atim = time_of(a.atime);
    st.st_mtim = time_of(a.mtime);
    st.st_ctim = time_of(a.ctime);
    return st;
}

Credentials caller(fuse_req_t req) {
    const fuse_ctx* ctx = fuse_req_ctx(req);
    Credentials who;
    who.uid = ctx->uid;
    who.gid = ctx->gid;
    who.door = Door::fuse;
    // Mounted with default_permissions: names are cached for long, so requests alone can not tell
    // who walks through a directory.
    who.checked = true;
    return who;
}

void reply_status(fuse_req_t req, const Status& status) {
    const int error = errno_of(status);
    // What a program is told of is its own affair; what is wrong here is the operator's.
    if (error == EIO) {
        session_of(req).log.error("event=mount_request_failed pid={} error=\"{}\"",
                                  fuse_req_ctx(req)->pid,
                                  status.message());
    }
    fuse_reply_err(req, error);
}

fuse_entry_param Session::entry(const Attributes& attributes, InodeId parent, bool fresh) {
    fuse_entry_param e{};
    e.ino = attributes.inode;
    e.attr = stat_of(attributes);
    e.attr_timeout = fresh ? options_.timeout_seconds : 0;
    e.entry_timeout = fresh && invalidator.trusts(parent) ? options_.timeout_seconds : 0;
    return e;
}

void Session::reply_entry(fuse_req_t req,
                          std::uint64_t seen,
                          const KernelName& name,
                          const Result<Attributes>& found) {
    if (found.ok()) looked_up(found->inode, name);
    const ReplyGate::Pass pass(gate, seen);
    if (found.ok()) {
        const fuse_entry_param e = entry(*found, name.parent, pass.fresh());
        if (fuse_reply_entry(req, &e) != 0) forget(found->inode);
        return;
    }
    const bool absent =
        found.code() == objstore::Code::not_found && found.why() == objstore::Why::none;
    if (absent && pass.fresh() && invalidator.trusts(name.parent)) {
        fuse_entry_param e{};  // No inode: the kernel remembers that there is nothing.
        e.entry_timeout = options_.timeout_seconds;
        fuse_reply_entry(req, &e);
        return;
    }
    reply_status(req, found.error());
}

void Session::expire(std::optional<KernelName> name) {
    if (!name) return;
    invalidator.tell_later({objstore::Change::Kind::entry, name->parent, std::move(name->name)});
}

void Session::reply_attributes(fuse_req_t req,
                               std::uint64_t seen,
                               const Result<Attributes>& found) {
    const ReplyGate::Pass pass(gate, seen);
    if (!found.ok()) {
        reply_status(req, found.error());
        return;
    }
    const struct stat st = stat_of(*found);
    fuse_reply_attr(req, &st, pass.fresh() ? options_.timeout_seconds : 0);
}

namespace {

void init(void* userdata, fuse_conn_info* conn) {
    const auto want = [&](unsigned capability, bool on) {
        if ((conn->capable & capability) == 0) return false;
        conn->want = on ? conn->want | capability : conn->want & ~capability;
        return on;
    };
    // Pages go when we say so, not whenever a time has moved: our own writes move it.
    want(FUSE_CAP_AUTO_INVAL_DATA, false);
    want(FUSE_CAP_EXPLICIT_INVAL_DATA, true);
    want(FUSE_CAP_READDIRPLUS, true);
    want(FUSE_CAP_READDIRPLUS_AUTO, true);
    want(FUSE_CAP_PARALLEL_DIROPS, true);
    want(FUSE_CAP_ASYNC_READ, true);
    want(FUSE_CAP_ATOMIC_O_TRUNC, true);
    want(FUSE_CAP_HANDLE_KILLPRIV, true);
    want(FUSE_CAP_POSIX_LOCKS, true);
    want(FUSE_CAP_FLOCK_LOCKS, true);
    // The kernel would believe its own size and times, which other doors change.
    want(FUSE_CAP_WRITEBACK_CACHE, false);
    static_cast<Session*>(userdata)->can_expire = want(FUSE_CAP_EXPIRE_ONLY, true);
    conn->max_write = static_cast<unsigned>(objstore::kMiB);
    conn->max_readahead = static_cast<unsigned>(objstore::kMiB);
    conn->max_background = 64;
}

}  // namespace

const fuse_lowlevel_ops& operations() {
    static const fuse_lowlevel_ops table = [] {
        fuse_lowlevel_ops ops{};
        ops.init = init;
        add_name_operations(ops);
        add_attribute_operations(ops);
        add_file_operations(ops);
        add_extent_operations(ops);
        add_directory_operations(ops);
        add_lock_operations(ops);
        return ops;
    }();
    return table;
}

}  // namespace fs
