// POSIX names: create, link, unlink, rmdir.
#include <fmt/format.h>

#include "objstore/meta/ops_apply.h"
#include "objstore/meta/ops_attributes.h"
#include "objstore/meta/ops_keys.h"
#include "objstore/meta/ops_tree.h"

namespace objstore {

namespace {

constexpr std::uint32_t kLinksMax = 65'000;
constexpr std::size_t kTargetBytesMax = 4095;

Status exists(std::string_view name) {
    return Status::already_exists(fmt::format("\"{}\" exists", name));
}

Status absent(std::string_view name) {
    return Status::not_found(fmt::format("\"{}\" does not exist", name));
}

// The parent of a new name, which nothing may have yet; what has it goes into `result.before`.
Result<const Inode*> parent_of_new(Tables& tables,
                                   InodeId parent,
                                   std::string_view name,
                                   OpResult& result) {
    TRY(check_name(name));
    TRY_ASSIGN(const Inode* directory, parent_directory(tables, parent));
    TRY_ASSIGN(auto taken, find_name(tables, parent, name));
    if (taken) {
        TRY_ASSIGN(result.before, snapshot(tables, taken->inode));
        result.entry = *std::move(taken);
        return exists(name);
    }
    result.parent_before = std::make_shared<const Inode>(*directory);
    return directory;
}

Status check_create(const Inode& inode) {
    switch (inode.type) {
        case FileType::regular:
        case FileType::directory:
        case FileType::fifo:
        case FileType::char_device:
        case FileType::block_device:
        case FileType::socket:
            return {};
        case FileType::symlink:
            if (inode.target.empty()) return Status::invalid_argument("a link without a target");
            if (inode.target.size() <= kTargetBytesMax) return {};
            return Status::invalid_argument("a link's target has 4,095 bytes at most",
                                            Why::name_too_long);
    }
    return Status::invalid_argument("no such type of file");
}

// A new inode with what the caller may choose, and nothing of what it may not.
Inode fresh_inode(const CreateOp& op, const Inode& parent, InodeId id) {
    const Inode& wish = op.inode;
    Inode inode;
    inode.id = id;
    inode.type = wish.type;
    inode.mode = wish.mode & kModeMask;
    inode.uid = wish.uid;
    inode.gid = wish.gid;
    if (op.directory_setgid && (parent.mode & kSetgid) != 0) {
        if (inode.is_directory()) {
            inode.mode |= kSetgid;
        } else if (wish.gid != parent.gid) {
            // It was asked for the caller's group. Who may have it for the directory's names that.
            inode.mode &= ~kSetgid;
        }
        inode.gid = parent.gid;
    }
    inode.nlink = inode.is_directory() ? 2 : 1;
    inode.ctime = wish.ctime;
    inode.mtime = wish.mtime != 0 ? wish.mtime : wish.ctime;
    inode.atime = wish.atime != 0 ? wish.atime : wish.ctime;
    inode.btime = wish.btime != 0 ? wish.btime : wish.ctime;
    inode.change = 1;
    inode.generation = 1;
    inode.verifier = wish.verifier;
    inode.bucket = parent.bucket;
    inode.parent = parent.id;
    inode.name = inode.is_directory() ? op.name + '/' : op.name;
    if (inode.is_directory()) {
        inode.etag = etag_of_nothing();
    } else if (inode.is_regular()) {
        inode.etag = derived_etag(id, inode.generation);
        inode.headers = wish.headers;
    } else if (inode.type == FileType::symlink) {
        inode.target = wish.target;
        inode.size = wish.target.size();
    } else {
        inode.rdev = wish.rdev;
    }
    return inode;
}

// Takes a name away: `entry` is of `parent`.
Status remove(Tables& tables, const Entry& entry, UnixNanos time, OpResult& result) {
    TRY_ASSIGN(result.before, snapshot(tables, entry.inode));
    TRY_ASSIGN(result.parent_before, snapshot(tables, entry.parent));
    TRY(remove_name(tables, entry, {.time = time}));
    TRY_ASSIGN(result.parent_after, snapshot(tables, entry.parent));
    result.entry = entry;
    const auto left = tables.inode(entry.inode);
    if (left.ok()) result.inode = std::make_shared<const Inode>(**left);
    return left.code() == Code::not_found ? Status() : left.error();
}

}  // namespace

Status apply_op(const CreateOp& op, Tables& tables, OpResult& result) {
    TRY(check_create(op.inode));
    TRY_ASSIGN(const Inode* parent, parent_of_new(tables, op.parent, op.name, result));
    const InodeId id = op.inode.id != 0 ? op.inode.id : tables.next_id();
    Inode inode = fresh_inode(op, *parent, id);
    result.entry = {.parent = op.parent,
                    .name = inode.name,
                    .inode = id,
                    .type = inode.type,
                    .cookie = tables.next_id(),
                    .last_modified = inode.ctime};
    const UnixNanos time = inode.ctime;
    tables.add_inode(std::move(inode));
    TRY(add_name(tables, result.entry, {.make = true, .time = time}));
    TRY_ASSIGN(result.inode, snapshot(tables, id));
    TRY_ASSIGN(result.parent_after, snapshot(tables, op.parent));
    return {};
}

Status apply_op(const LinkOp& op, Tables& tables, OpResult& result) {
    TRY_ASSIGN(const Inode* inode, tables.inode(op.inode));
    if (inode->is_directory()) {
        return Status::permission_denied("directories have one name", Why::not_permitted);
    }
    if (inode->nlink == 0) return Status::not_found(fmt::format("inode {} was removed", op.inode));
    TRY_ASSIGN(const Inode* parent, parent_of_new(tables, op.parent, op.name, result));
    if (parent->bucket != inode->bucket) {
        return Status::unsupported("a link into another bucket", Why::cross_bucket);
    }
    if (inode->nlink >= kLinksMax) {
        return Status::conflict("a file has 65,000 names at most", Why::too_many_links);
    }
    TRY_ASSIGN(Inode* const edited, edit(tables, op.inode));
    ++edited->nlink;
    edited->ctime = op.time;
    edited->parent = 0;  // more than one name: none of them is the one
    edited->name.clear();
    result.entry = {.parent = op.parent,
                    .name = op.name,
                    .inode = op.inode,
                    .type = edited->type,
                    .cookie = tables.next_id(),
                    .last_modified = op.time};
    TRY(add_name(tables, result.entry, {.make = true, .time = op.time}));
    TRY_ASSIGN(result.inode, snapshot(tables, op.inode));
    TRY_ASSIGN(result.parent_after, snapshot(tables, op.parent));
    return {};
}

Status apply_op(const UnlinkOp& op, Tables& tables, OpResult& result) {
    TRY(check_name(op.name));
    TRY(live_directory(tables, op.parent).error());
    TRY_ASSIGN(const auto entry, find_name(tables, op.parent, op.name));
    if (!entry) return absent(op.name);
    if (entry->type == FileType::directory) {
        return Status::conflict(fmt::format("\"{}\" is a directory", op.name), Why::is_directory);
    }
    return remove(tables, *entry, op.time, result);
}

Status apply_op(const RmdirOp& op, Tables& tables, OpResult& result) {
    TRY(check_name(op.name));
    TRY(parent_directory(tables, op.parent).error());
    TRY_ASSIGN(const auto entry, find_name(tables, op.parent, op.name));
    if (!entry) return absent(op.name);
    if (entry->type != FileType::directory) {
        return Status::conflict(fmt::format("\"{}\" is no directory", op.name), Why::not_directory);
    }
    TRY_ASSIGN(const Inode* directory, tables.inode(entry->inode));
    if (directory->directory.children > 0) {
        return Status::conflict(fmt::format("\"{}\" is not empty", op.name), Why::not_empty);
    }
    return remove(tables, *entry, op.time, result);
}

}  // namespace objstore
