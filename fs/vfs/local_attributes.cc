// LocalVfs: attributes.
#include <fmt/format.h>

#include "fs/vfs/local_file.h"
#include "fs/vfs/permission.h"

namespace fs {

using objstore::InodePtr;
using objstore::Why;

namespace {

bool sets_more_than_size(const SetAttributes& changes) {
    return changes.mode || changes.uid || changes.gid || changes.atime || changes.mtime ||
           changes.atime_now || changes.mtime_now;
}

}  // namespace

Result<Attributes> LocalVfs::getattr(InodeId inode) {
    TRY_ASSIGN(const InodePtr found, names().getattr(inode));
    touch(*found);
    return attributes(*found);
}

std::optional<Attributes> LocalVfs::try_getattr(InodeId inode) {
    const InodePtr found = names().cached_inode(inode);
    if (found == nullptr) return std::nullopt;
    touch(*found);
    return attributes(*found);
}

Result<AttributeChange> LocalVfs::setattr(const Credentials& who,
                                          InodeId id,
                                          const SetAttributes& changes,
                                          OpenFile* file) {
    if (id == kRootInode) {
        return Status::permission_denied("the root is not to be changed", Why::not_permitted);
    }
    // What waits is stored first: it would move the times and drop setid bits after this call.
    if (sets_more_than_size(changes) || changes.guard_ctime) {
        if (const NodeRef node = nodes_.find(id)) TRY(write_back_.flush(*node));
    }
    TRY_ASSIGN(const InodePtr inode, names().getattr(id));
    if (changes.guard_ctime && *changes.guard_ctime != inode->ctime) {
        return Status::conflict(fmt::format("inode {} has changed since", id), Why::precondition);
    }
    AttributeChange change;
    change.before = attributes(*inode);
    TRY_ASSIGN(auto op, plan_setattr(who, *inode, changes, deps_.clock.now()));
    if (changes.size) {
        TRY(set_size(who, *inode, changes, file));
        op.guard_ctime.reset();  // It held, and has moved by this call itself.
    }
    if (sets_more_than_size(changes)) {
        TRY(deps_.engine.apply(std::move(op), call_options(who)).error());
    }
    TRY_ASSIGN(change.after, getattr(id));
    return change;
}

Status LocalVfs::set_size(const Credentials& who,
                          const Inode& inode,
                          const SetAttributes& changes,
                          OpenFile* file) {
    if (inode.is_directory()) {
        return Status::conflict("a directory has no size to set", Why::is_directory);
    }
    if (!inode.is_regular()) return Status::invalid_argument("only files have a size to set");
    if (*changes.size > kFileBytesMax) {
        return Status::invalid_argument("a file has 2^63 - 1 bytes at most", Why::too_large);
    }
    const bool owner = who.door == Door::nfs && who.uid == inode.uid;
    if (file == nullptr && !owner) TRY(check_access(who, inode, kMayWrite));
    TRY_ASSIGN(const NodeRef node, nodes_.acquire(inode.id));
    objstore::TruncateOp op;
    op.inode = inode.id;
    op.size = *changes.size;
    op.clear_setid = who.uid != 0;
    op.time = deps_.clock.now();
    return write_back_.truncate(*node, op, call_options(who)).error();
}

Result<std::uint32_t> LocalVfs::access(const Credentials& who,
                                       InodeId inode,
                                       std::uint32_t wanted) {
    TRY_ASSIGN(const InodePtr found, names().getattr(inode));
    return granted_access(who, *found, wanted);
}

Result<std::string> LocalVfs::readlink(const Credentials&, InodeId inode) {
    TRY_ASSIGN(const InodePtr found, names().getattr(inode));
    if (found->type != FileType::symlink) return Status::invalid_argument("no symbolic link");
    return found->target;
}

}  // namespace fs
