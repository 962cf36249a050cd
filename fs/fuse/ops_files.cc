// Requests on open files.
#include <cerrno>

#include <fcntl.h>

#include "fs/fuse/session.h"

namespace fs {
namespace {

using Serving = Invalidator::Serving;

OpenFlags flags_of(int flags) {
    const int access = flags & O_ACCMODE;
    OpenFlags open;
    open.read = access == O_RDONLY || access == O_RDWR;
    open.write = access == O_WRONLY || access == O_RDWR;
    open.truncate = (flags & O_TRUNC) != 0;
    return open;
}

// Other doors' changes are told page by page: what the kernel still has is good.
void keep_cache(Session& s, InodeId inode, fuse_file_info& info) {
    info.keep_cache = !s.inodes.suspected(inode);
    if (!info.keep_cache) s.inodes.suspect(inode, false);
}

void open(fuse_req_t req, fuse_ino_t inode, fuse_file_info* info) {
    const Serving serving;
    Session& s = session_of(req);
    auto file = s.vfs.open(caller(req), inode, flags_of(info->flags));
    if (!file.ok()) {
        reply_status(req, file.error());
        return;
    }
    keep_cache(s, inode, *info);
    info->fh = s.files.add(*std::move(file));
    // Interrupted: there will be no release.
    if (fuse_reply_open(req, info) != 0) s.files.take(info->fh);
}

void create(
    fuse_req_t req, fuse_ino_t parent, const char* name, mode_t mode, fuse_file_info* info) {
    const Serving serving;
    Session& s = session_of(req);
    const std::uint64_t seen = s.gate.seen();
    CreateRequest request;
    request.how =
        (info->flags & O_EXCL) != 0 ? CreateRequest::How::guarded : CreateRequest::How::unchecked;
    request.mode = mode & 07777;
    request.open = flags_of(info->flags);
    auto created = s.vfs.create(caller(req), parent, name, request);
    if (!created.ok()) {
        reply_status(req, created.error());
        return;
    }
    const Attributes attributes = *created->change.attributes;
    s.looked_up(attributes.inode, {parent, name});
    keep_cache(s, attributes.inode, *info);
    info->fh = s.files.add(std::move(created->file));
    const ReplyGate::Pass pass(s.gate, seen);
    const fuse_entry_param e = s.entry(attributes, parent, pass.fresh());
    if (fuse_reply_create(req, &e, info) != 0) {
        s.files.take(info->fh);
        s.forget(attributes.inode);
    }
}

void read(fuse_req_t req, fuse_ino_t, std::size_t size, off_t offset, fuse_file_info* info) {
    const Serving serving;
    // One for each thread, which answers one request at a time.
    thread_local objstore::Buffer buffer;
    if (buffer.size() < size) buffer = objstore::Buffer(size);
    const auto got =
        OpenFiles::of(info)->read(static_cast<std::uint64_t>(offset), buffer.span().first(size));
    if (got.ok()) {
        fuse_reply_buf(req, reinterpret_cast<const char*>(buffer.data()), *got);
    } else {
        reply_status(req, got.error());
    }
}

// NOLINTNEXTLINE(readability-function-size): parameters of libfuse's
void write(fuse_req_t req,
           fuse_ino_t inode,
           const char* data,
           std::size_t size,
           off_t offset,
           fuse_file_info* info) {
    const Serving serving;
    Session& s = session_of(req);
    OpenFile::WriteFlags flags;
    flags.append = (info->flags & O_APPEND) != 0 && !info->writepage;
    flags.sync = (info->flags & (O_SYNC | O_DSYNC)) != 0;
    // Pages written back from a mapping carry no user.
    flags.clear_setid = !info->writepage && fuse_req_ctx(req)->uid != 0;
    const auto at = static_cast<std::uint64_t>(offset);
    const Bytes bytes = objstore::as_bytes({data, size});
    const auto written = OpenFiles::of(info)->write(at, bytes, flags);
    if (!written.ok()) {
        reply_status(req, written.error());
        return;
    }
    // The kernel has put the pages where it thought that the end was.
    if (written->offset != at) {
        s.invalidator.tell_later({objstore::Change::Kind::content, inode, {}});
    }
    fuse_reply_write(req, written->size);
}

void flush(fuse_req_t req, fuse_ino_t inode, fuse_file_info* info) {
    const Serving serving;
    const LockOwner owner{Door::fuse, 0, info->lock_owner};
    session_of(req).vfs.unlock_owner(inode, owner, LockKind::range);
    reply_status(req, OpenFiles::of(info)->flush());
}

void fsync(fuse_req_t req, fuse_ino_t, int, fuse_file_info* info) {
    const Serving serving;
    reply_status(req, OpenFiles::of(info)->sync());
}

void release(fuse_req_t req, fuse_ino_t, fuse_file_info* info) {
    const Serving serving;
    session_of(req).files.take(info->fh);
    fuse_reply_err(req, 0);
}

}  // namespace

void add_file_operations(fuse_lowlevel_ops& table) {
    table.open = open;
    table.create = create;
    table.read = read;
    table.write = write;
    table.flush = flush;
    table.fsync = fsync;
    table.release = release;
}

}  // namespace fs
