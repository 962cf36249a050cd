#include "fs/vfs/permission.h"

#include <algorithm>

#include <fmt/format.h>
#include <sys/stat.h>

namespace fs {

using objstore::Inode;
using objstore::Why;

bool in_group(const Credentials& who, std::uint32_t gid) {
    return who.gid == gid ||
           std::find(who.groups.begin(), who.groups.end(), gid) != who.groups.end();
}

std::uint32_t granted_access(const Credentials& who, const Inode& inode, std::uint32_t wanted) {
    if (who.uid == 0) {
        // Root executes only what somebody may, and searches every directory.
        const bool executable = inode.is_directory() || (inode.mode & 0111) != 0;
        return executable ? wanted : wanted & ~kMayExecute;
    }
    if (who.uid == inode.uid) return wanted & (inode.mode >> 6);
    if (in_group(who, inode.gid)) return wanted & (inode.mode >> 3);
    return wanted & inode.mode;
}

Status check_access(const Credentials& who, const Inode& inode, std::uint32_t wanted) {
    if (who.checked || granted_access(who, inode, wanted) == wanted) return {};
    return Status::permission_denied(
        fmt::format("inode {}: mode {:o} does not let user {}", inode.id, inode.mode, who.uid));
}

Status check_remove(const Credentials& who, const Inode& directory, const Inode& child) {
    if (who.checked) return {};
    TRY(check_access(who, directory, kMayWrite | kMayExecute));
    const bool sticky = (directory.mode & S_ISVTX) != 0;
    if (sticky && who.uid != 0 && who.uid != child.uid && who.uid != directory.uid) {
        return Status::permission_denied("the directory is sticky", Why::not_permitted);
    }
    return {};
}

namespace {

Status check_owner(const Credentials& who, const Inode& inode) {
    if (who.checked || who.uid == 0 || who.uid == inode.uid) return {};
    return Status::permission_denied(
        fmt::format("inode {} is not owned by user {}", inode.id, who.uid), Why::not_permitted);
}

Status check_chown(const Credentials& who, const Inode& inode, const SetAttributes& changes) {
    if (who.checked || who.uid == 0) return {};
    const bool gives_away = changes.uid && *changes.uid != inode.uid;
    const bool regroups = changes.gid && *changes.gid != inode.gid;
    const bool owner = who.uid == inode.uid;
    if (!gives_away && owner && (!regroups || in_group(who, *changes.gid))) return {};
    return Status::permission_denied("only root gives files away", Why::not_permitted);
}

Status check_times(const Credentials& who, const Inode& inode, const SetAttributes& changes) {
    const bool sets = changes.atime || changes.mtime;
    if (sets) return check_owner(who, inode);
    if (who.uid == inode.uid) return {};
    return check_access(who, inode, kMayWrite);
}

}  // namespace

Result<objstore::SetAttributesOp> plan_setattr(const Credentials& who,
                                               const Inode& inode,
                                               const SetAttributes& changes,
                                               UnixNanos now) {
    objstore::SetAttributesOp op;
    op.inode = inode.id;
    op.time = now;
    op.guard_ctime = changes.guard_ctime;
    if (changes.mode) {
        TRY(check_owner(who, inode));
        op.mode = *changes.mode & 07777;
        const std::uint32_t gid = changes.gid.value_or(inode.gid);
        if (!who.checked && who.uid != 0 && !in_group(who, gid))
            *op.mode &= ~std::uint32_t{S_ISGID};
    }
    if (changes.uid || changes.gid) {
        TRY(check_chown(who, inode, changes));
        op.uid = changes.uid;
        op.gid = changes.gid;
        op.clear_setid = !inode.is_directory() && !changes.mode;
    }
    if (changes.atime || changes.mtime || changes.atime_now || changes.mtime_now) {
        TRY(check_times(who, inode, changes));
        op.atime = changes.atime_now ? now : changes.atime;
        op.mtime = changes.mtime_now ? now : changes.mtime;
    }
    return op;
}

}  // namespace fs
