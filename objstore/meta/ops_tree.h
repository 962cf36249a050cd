#pragma once

#include <optional>
#include <string_view>

#include "objstore/base/status.h"
#include "objstore/meta/ops_keys.h"
#include "objstore/meta/tables.h"

// Names in directories, and what directories count. Where an operation fails, its Txn is dropped
// whole, so nothing here undoes anything.
namespace objstore {

// A directory's own change. The counts are differences.
struct DirectoryChange {
    int children = 0;
    int hidden = 0;
    int subdirectories = 0;
    int visible = 0;
    bool make = false;                   // what was implied is made from now on
    std::optional<bool> marker = {};     // becomes one, or ceases to be
    std::optional<UnixNanos> time = {};  // its mtime and ctime

    // A name that comes (by = 1) or goes (-1). The inode as it is while the name is there.
    void count(const Named& named, int by);
};
// Where the change makes a directory begin or cease to show in listings, so it does to those above,
// as far as the bucket: each has exact counts.
Status change_directory(Tables& tables, InodeId id, const DirectoryChange& change);

// An inode for a change. `change` moves, also where this Txn has had the inode before.
Result<Inode*> edit(Tables& tables, InodeId id);
// For one that is none to its users: `change` stays.
Result<Inode*> edit_quietly(Tables& tables, InodeId id);
Result<InodePtr> snapshot(Tables& tables, InodeId id);

// A directory that has a name (or is the root). not_found: it was removed. conflict
// (not_directory).
Result<const Inode*> live_directory(Tables& tables, InodeId id);
// The same for a change of what it holds: permission_denied (not_permitted) in the root, which has
// buckets alone.
Result<const Inode*> parent_directory(Tables& tables, InodeId id);

// What mounts see under a name: the directory before an object that it shadows.
Result<std::optional<Entry>> find_name(Tables& tables, InodeId parent, std::string_view name);

// Puts an entry for an inode that is there. `change` says what else happens to the directory.
Status add_name(Tables& tables, const Entry& entry, DirectoryChange change);
// Erases the entry and takes the name from the inode.
Status remove_name(Tables& tables, const Entry& entry, DirectoryChange change);
// One name less. After the last one the inode goes at once, or, when somebody holds it or it has
// many extents, becomes an orphan. A file that has one name left of several keeps `parent` 0: which
// name it is, is not known until it is renamed.
Status lose_name(Tables& tables, InodeId id, UnixNanos time);

// Removes an empty implied directory and those above that it leaves so. Later, when it is in use.
Status prune(Tables& tables, InodeId directory, UnixNanos time);

}  // namespace objstore
