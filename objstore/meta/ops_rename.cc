#include <fmt/format.h>

#include "objstore/meta/ops_apply.h"
#include "objstore/meta/ops_keys.h"
#include "objstore/meta/ops_tree.h"

namespace objstore {

namespace {

constexpr int kDepthMax = 1'000'000;

bool is_directory(const Entry& entry) {
    return entry.type == FileType::directory;
}

// Directories on both sides, of one bucket, none of them the root.
Status check_parents(Tables& tables, const RenameOp& op, OpResult& result) {
    TRY_ASSIGN(const Inode* from, parent_directory(tables, op.parent));
    TRY_ASSIGN(const Inode* to, parent_directory(tables, op.new_parent));
    if (from->bucket != to->bucket) {
        return Status::unsupported("a rename into another bucket", Why::cross_bucket);
    }
    result.parent_before = std::make_shared<const Inode>(*from);
    result.new_parent_before = std::make_shared<const Inode>(*to);
    return {};
}

// invalid_argument: `directory` is `below` or lies above it.
Status check_not_above(Tables& tables, const Entry& directory, InodeId below) {
    if (!is_directory(directory)) return {};
    InodeId at = below;
    for (int depth = 0; depth < kDepthMax; ++depth) {
        if (at == directory.inode) {
            return Status::invalid_argument("a directory can not move below itself");
        }
        if (at == 0) return {};
        TRY_ASSIGN(const Inode* inode, tables.inode(at));
        at = inode->parent;
    }
    return Status::corruption(fmt::format("directory {} is its own parent", below));
}

// POSIX on what may take the place of what.
Status check_replace(Tables& tables, const Entry& from, const Entry& to) {
    if (!is_directory(from)) {
        if (!is_directory(to)) return {};
        return Status::conflict("a file can not replace a directory", Why::is_directory);
    }
    if (!is_directory(to)) {
        return Status::conflict("a directory can not replace a file", Why::not_directory);
    }
    TRY_ASSIGN(const Inode* inode, tables.inode(to.inode));
    if (inode->directory.children == 0) return {};
    return Status::conflict("the directory there is not empty", Why::not_empty);
}

// What `moved` is called in another place. A file's key has its content from now on; what lies
// below a directory has it since it was written.
Entry renamed(const Entry& moved, InodeId parent, const std::string& name, UnixNanos time) {
    Entry entry = moved;
    entry.parent = parent;
    entry.name = is_directory(moved) ? name + '/' : name;
    if (!is_directory(moved)) entry.last_modified = time;
    return entry;
}

Status count(Tables& tables, const Entry& entry, int by, DirectoryChange& change) {
    TRY_ASSIGN(const Inode* inode, tables.inode(entry.inode));
    change.count({entry, inode}, by);
    return {};
}

Status change_parents(Tables& tables,
                      const RenameOp& op,
                      const DirectoryChange& from,
                      const DirectoryChange& to) {
    if (op.parent != op.new_parent) {
        TRY(change_directory(tables, op.parent, from));
        return change_directory(tables, op.new_parent, to);
    }
    DirectoryChange both = from;
    both.children += to.children;
    both.hidden += to.hidden;
    both.subdirectories += to.subdirectories;
    both.visible += to.visible;
    return change_directory(tables, op.parent, both);
}

// The inode's side of a new name. Of several hard links none is the one.
Status move_inode(Tables& tables, const Entry& entry, UnixNanos time) {
    TRY_ASSIGN(Inode* const inode, edit(tables, entry.inode));
    inode->ctime = time;
    if (!inode->is_directory() && inode->nlink > 1) return {};
    inode->parent = entry.parent;
    inode->name = entry.name;
    return {};
}

// A mount has changed it: so it is made, before anybody counts it.
Status make(Tables& tables, const Entry& entry) {
    if (!is_directory(entry)) return {};
    return change_directory(tables, entry.inode, {.make = true});
}

Status move(Tables& tables,
            const RenameOp& op,
            const Entry& from,
            const std::optional<Entry>& to,
            OpResult& result) {
    if (to) TRY(check_replace(tables, from, *to));
    TRY(make(tables, from));
    Entry entry = renamed(from, op.new_parent, op.new_name, op.time);
    entry.cookie = to ? to->cookie : tables.next_id();
    DirectoryChange out{.make = true, .time = op.time};
    DirectoryChange in = out;
    TRY(count(tables, from, -1, out));
    TRY(count(tables, entry, 1, in));
    if (to) TRY(count(tables, *to, -1, in));
    tables.erase_entry(from.parent, from.name);
    tables.put_entry(entry);
    TRY(change_parents(tables, op, out, in));
    TRY(move_inode(tables, entry, op.time));
    result.entry = std::move(entry);
    return to ? lose_name(tables, to->inode, op.time) : Status();
}

// Each name keeps its cookie. An object that one of the directories shadows is in the way of a file
// that comes there, for it would be lost.
Status exchange(
    Tables& tables, const RenameOp& op, const Entry& from, const Entry& to, OpResult& result) {
    Entry there = renamed(from, op.new_parent, op.new_name, op.time);
    Entry here = renamed(to, op.parent, op.name, op.time);
    there.cookie = to.cookie;
    here.cookie = from.cookie;
    for (const Entry* entry : {&there, &here}) {
        TRY_ASSIGN(const auto taken, tables.entry(entry->parent, entry->name));
        if (taken && taken->inode != from.inode && taken->inode != to.inode) {
            return Status::already_exists("an object that a directory shadows is in the way");
        }
    }
    TRY(make(tables, from));
    TRY(make(tables, to));
    DirectoryChange first{.make = true, .time = op.time};
    DirectoryChange second = first;
    TRY(count(tables, from, -1, first));
    TRY(count(tables, here, 1, first));
    TRY(count(tables, to, -1, second));
    TRY(count(tables, there, 1, second));
    tables.erase_entry(from.parent, from.name);
    tables.erase_entry(to.parent, to.name);
    tables.put_entry(there);
    tables.put_entry(here);
    TRY(change_parents(tables, op, first, second));
    TRY(move_inode(tables, there, op.time));
    TRY(move_inode(tables, here, op.time));
    result.entry = std::move(there);
    return {};
}

Status rename(Tables& tables, const RenameOp& op, const Entry& from, OpResult& result) {
    TRY_ASSIGN(const auto to, find_name(tables, op.new_parent, op.new_name));
    if (to) {
        TRY_ASSIGN(result.before, snapshot(tables, to->inode));
        if (op.no_replace) {
            return Status::already_exists(fmt::format("\"{}\" exists", op.new_name));
        }
    }
    if (op.exchange && !to) {
        return Status::not_found(fmt::format("\"{}\" does not exist", op.new_name));
    }
    if (to && to->inode == from.inode) {
        // POSIX: two names of one file, or one name, stay as they are.
        result.before = nullptr;
        result.entry = *to;
        return {};
    }
    TRY(check_not_above(tables, from, op.new_parent));
    if (!op.exchange) return move(tables, op, from, to, result);
    TRY(check_not_above(tables, *to, op.parent));
    return exchange(tables, op, from, *to, result);
}

}  // namespace

Status apply_op(const RenameOp& op, Tables& tables, OpResult& result) {
    TRY(check_name(op.name));
    TRY(check_name(op.new_name));
    if (op.no_replace && op.exchange) {
        return Status::invalid_argument("either no_replace or exchange");
    }
    TRY(check_parents(tables, op, result));
    TRY_ASSIGN(const auto from, find_name(tables, op.parent, op.name));
    if (!from) return Status::not_found(fmt::format("\"{}\" does not exist", op.name));
    TRY(rename(tables, op, *from, result));
    TRY_ASSIGN(result.inode, snapshot(tables, from->inode));
    TRY_ASSIGN(result.parent_after, snapshot(tables, op.parent));
    TRY_ASSIGN(result.new_parent_after, snapshot(tables, op.new_parent));
    return {};
}

}  // namespace objstore
