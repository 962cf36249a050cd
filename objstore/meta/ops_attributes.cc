#include "objstore/meta/ops_attributes.h"

#include <fmt/format.h>

#include "objstore/meta/ops_apply.h"
#include "objstore/meta/ops_tree.h"

namespace objstore {

namespace {

constexpr std::size_t kXattrBytesMax = 64 * kKiB;
constexpr std::size_t kXattrNameBytesMax = 255;
constexpr std::size_t kXattrsMax = 256;  // of one inode

// Whoever changes an implied directory makes it: it stays when its last key goes.
Status make_if_directory(Tables& tables, InodeId id) {
    TRY_ASSIGN(const Inode* inode, tables.inode(id));
    if (!inode->is_directory() || inode->directory.kind == DirectoryKind::made) return {};
    return change_directory(tables, id, {.make = true});
}

Status check_xattr(const XattrRow& row) {
    if (row.name.empty() || row.name.find('\0') != std::string::npos) {
        return Status::invalid_argument("no name for an attribute");
    }
    if (row.name.size() > kXattrNameBytesMax) {
        return Status::invalid_argument("an attribute's name has 255 bytes at most",
                                        Why::name_too_long);
    }
    if (row.value.size() > kXattrBytesMax) {
        return Status::invalid_argument("an attribute has 64 KiB at most", Why::too_large);
    }
    return {};
}

Status no_attribute(const std::string& name) {
    return Status::not_found(fmt::format("there is no attribute {}", name), Why::no_attribute);
}

Status touch(Tables& tables, InodeId id, bool has_xattrs, UnixNanos time) {
    TRY_ASSIGN(Inode* const inode, edit(tables, id));
    inode->ctime = time;
    inode->has_xattrs = has_xattrs;
    return make_if_directory(tables, id);
}

// A bucket's directory is where its settings are changed: what keys make from now on is its new
// owner's, with its new permissions.
Status hand_down(Tables& tables, const Inode& bucket) {
    TRY_ASSIGN(auto row, tables.bucket_by_inode(bucket.id));
    if (!row) return {};  // deleted, and somebody still has its directory open
    row->uid = bucket.uid;
    row->gid = bucket.gid;
    row->directory_mode = bucket.mode & (kPermissionMask | kSetgid);
    row->file_mode = bucket.mode & 0666;
    tables.put_bucket(*std::move(row));
    return {};
}

}  // namespace

void drop_setid(Inode& inode) {
    if (!inode.is_regular()) return;
    constexpr std::uint32_t kGroupExecute = 010;
    inode.mode &= ~kSetuid;
    if ((inode.mode & kGroupExecute) != 0) inode.mode &= ~kSetgid;
}

Status apply_op(const SetAttributesOp& op, Tables& tables, OpResult& result) {
    TRY_ASSIGN(result.before, snapshot(tables, op.inode));
    if (op.guard_ctime && *op.guard_ctime != result.before->ctime) {
        return Status::conflict(fmt::format("inode {} has changed since", op.inode),
                                Why::precondition);
    }
    TRY_ASSIGN(Inode* const inode, edit(tables, op.inode));
    if (op.mode) inode->mode = *op.mode & kModeMask;
    if (op.clear_setid) drop_setid(*inode);
    if (op.uid) inode->uid = *op.uid;
    if (op.gid) inode->gid = *op.gid;
    if (inode->id == inode->bucket && (op.mode || op.uid || op.gid)) TRY(hand_down(tables, *inode));
    if (op.atime) inode->atime = *op.atime;
    if (op.mtime) inode->mtime = *op.mtime;
    if (op.time != 0) {
        inode->ctime = op.time;
        TRY(make_if_directory(tables, op.inode));
    }
    TRY_ASSIGN(result.inode, snapshot(tables, op.inode));
    return {};
}

Status apply_op(const SetXattrOp& op, Tables& tables, OpResult& result) {
    const XattrRow& row = op.xattr;
    TRY_ASSIGN(result.before, snapshot(tables, row.inode));
    TRY(check_xattr(row));
    TRY_ASSIGN(const auto old, tables.xattr(row.inode, row.name));
    if (old && op.must_be_absent) {
        return Status::already_exists(fmt::format("attribute {} exists", row.name));
    }
    if (!old && op.must_exist) return no_attribute(row.name);
    if (!old && result.before->has_xattrs) {
        TRY_ASSIGN(const auto all, tables.xattrs(row.inode));
        if (all.size() >= kXattrsMax)
            return Status::no_space("an inode has 256 attributes at most");
    }
    tables.put_xattr(row);
    TRY(touch(tables, row.inode, true, op.time));
    TRY_ASSIGN(result.inode, snapshot(tables, row.inode));
    return {};
}

Status apply_op(const RemoveXattrOp& op, Tables& tables, OpResult& result) {
    TRY_ASSIGN(result.before, snapshot(tables, op.inode));
    TRY_ASSIGN(const auto old, tables.xattr(op.inode, op.name));
    if (!old) return no_attribute(op.name);
    tables.erase_xattr(op.inode, op.name);
    TRY_ASSIGN(const auto left, tables.xattrs(op.inode));
    TRY(touch(tables, op.inode, !left.empty(), op.time));
    TRY_ASSIGN(result.inode, snapshot(tables, op.inode));
    return {};
}

}  // namespace objstore
