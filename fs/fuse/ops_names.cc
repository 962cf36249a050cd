// Requests on names: lookup, making, removing, renaming.
#include <cerrno>
#include <cstdio>

#include <sys/stat.h>

#include "fs/fuse/session.h"

namespace fs {
namespace {

using Serving = Invalidator::Serving;

Result<Attributes> attributes_in(Result<NameChange> change) {
    if (!change.ok()) return std::move(change).error();
    if (!change->attributes) return Status::not_found("gone again");
    return *std::move(change->attributes);
}

SetAttributes with_mode(mode_t mode) {
    SetAttributes attributes;
    attributes.mode = mode & 07777;
    return attributes;
}

void lookup(fuse_req_t req, fuse_ino_t parent, const char* name) {
    const Serving serving;
    Session& s = session_of(req);
    const std::uint64_t seen = s.gate.seen();
    s.reply_entry(req, seen, {parent, name}, s.vfs.lookup(caller(req), parent, name));
}

void forget(fuse_req_t req, fuse_ino_t inode, std::uint64_t lookups) {
    session_of(req).inodes.forget(inode, lookups);
    fuse_reply_none(req);
}

void forget_multi(fuse_req_t req, std::size_t count, fuse_forget_data* forgets) {
    Session& s = session_of(req);
    for (std::size_t i = 0; i < count; ++i) s.inodes.forget(forgets[i].ino, forgets[i].nlookup);
    fuse_reply_none(req);
}

void mkdir(fuse_req_t req, fuse_ino_t parent, const char* name, mode_t mode) {
    const Serving serving;
    Session& s = session_of(req);
    const std::uint64_t seen = s.gate.seen();
    auto made = s.vfs.mkdir(caller(req), parent, name, with_mode(mode));
    s.reply_entry(req, seen, {parent, name}, attributes_in(std::move(made)));
}

void mknod(fuse_req_t req, fuse_ino_t parent, const char* name, mode_t mode, dev_t rdev) {
    const Serving serving;
    Session& s = session_of(req);
    const std::uint64_t seen = s.gate.seen();
    Vfs::NodeKind kind;
    kind.rdev = rdev;
    switch (mode & S_IFMT) {
        case 0:
        case S_IFREG: {
            CreateRequest request;
            request.mode = mode & 07777;
            auto created = s.vfs.create(caller(req), parent, name, request);
            Result<NameChange> change =
                created.ok() ? Result(std::move(created->change)) : created.error();
            s.reply_entry(req, seen, {parent, name}, attributes_in(std::move(change)));
            return;
        }
        case S_IFIFO:
            kind.type = FileType::fifo;
            break;
        case S_IFSOCK:
            kind.type = FileType::socket;
            break;
        case S_IFCHR:
            kind.type = FileType::char_device;
            break;
        case S_IFBLK:
            kind.type = FileType::block_device;
            break;
        default:
            fuse_reply_err(req, EINVAL);
            return;
    }
    auto made = s.vfs.mknod(caller(req), parent, name, kind, with_mode(mode));
    s.reply_entry(req, seen, {parent, name}, attributes_in(std::move(made)));
}

void symlink(fuse_req_t req, const char* target, fuse_ino_t parent, const char* name) {
    const Serving serving;
    Session& s = session_of(req);
    const std::uint64_t seen = s.gate.seen();
    auto made = s.vfs.symlink(caller(req), {parent, name, target}, with_mode(0777));
    s.reply_entry(req, seen, {parent, name}, attributes_in(std::move(made)));
}

void link(fuse_req_t req, fuse_ino_t inode, fuse_ino_t parent, const char* name) {
    const Serving serving;
    Session& s = session_of(req);
    const std::uint64_t seen = s.gate.seen();
    auto made = s.vfs.link(caller(req), inode, parent, name);
    s.reply_entry(req, seen, {parent, name}, attributes_in(std::move(made)));
}

void unlink(fuse_req_t req, fuse_ino_t parent, const char* name) {
    const Serving serving;
    reply_status(req, session_of(req).vfs.unlink(caller(req), parent, name).error());
}

void rmdir(fuse_req_t req, fuse_ino_t parent, const char* name) {
    const Serving serving;
    reply_status(req, session_of(req).vfs.rmdir(caller(req), parent, name).error());
}

// NOLINTNEXTLINE(readability-function-size): parameters of libfuse's
void rename(fuse_req_t req,
            fuse_ino_t parent,
            const char* name,
            fuse_ino_t new_parent,
            const char* new_name,
            unsigned int flags) {
    const Serving serving;
    if ((flags & ~static_cast<unsigned>(RENAME_NOREPLACE | RENAME_EXCHANGE)) != 0) {
        fuse_reply_err(req, EINVAL);
        return;
    }
    RenameFlags wanted;
    wanted.no_replace = (flags & RENAME_NOREPLACE) != 0;
    wanted.exchange = (flags & RENAME_EXCHANGE) != 0;
    Session& s = session_of(req);
    const auto renamed = s.vfs.rename(caller(req), {parent, name}, {new_parent, new_name}, wanted);
    if (renamed.ok() && renamed->attributes) {
        s.renamed(renamed->attributes->inode, {parent, name}, {new_parent, new_name});
    }
    // Which inode came to be there is not told.
    if (renamed.ok() && wanted.exchange) s.expire(KernelName{parent, name});
    reply_status(req, renamed.error());
}

}  // namespace

void add_name_operations(fuse_lowlevel_ops& table) {
    table.lookup = lookup;
    table.forget = forget;
    table.forget_multi = forget_multi;
    table.mkdir = mkdir;
    table.mknod = mknod;
    table.symlink = symlink;
    table.link = link;
    table.unlink = unlink;
    table.rmdir = rmdir;
    table.rename = rename;
}

}  // namespace fs
