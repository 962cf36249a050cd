#pragma once

#include <algorithm>

#include "objstore/meta/inode.h"

// What S3 sees of names (semantics, section 3). Pure.
namespace objstore {

// Whether LIST shows the directory itself, as the key `a/`.
inline bool listed_as_key(const Inode& directory) {
    const DirectoryState& state = directory.directory;
    return state.marker || (state.kind == DirectoryKind::made && state.children == 0);
}

// Whether a directory is or holds a key that LIST shows: then it is a common prefix.
inline bool shows_in_listing(const Inode& directory) {
    return directory.directory.visible > 0 || listed_as_key(directory);
}

// Whether a name counts in its directory's `visible`.
inline bool shows(const Entry& entry, const Inode& inode) {
    if (entry.type == FileType::directory) return shows_in_listing(inode);
    return entry.type == FileType::regular;
}

// Whether GET finds an object under the key of this name; a directory's is `a/`, listed or not.
inline bool is_object(const Inode& inode) {
    if (!inode.is_directory()) return inode.is_regular();
    return inode.directory.marker || inode.directory.kind == DirectoryKind::made;
}

// When the key of this name last got its content.
inline UnixNanos last_modified(const Entry& entry, const Inode& inode) {
    if (!inode.is_directory()) return std::max(entry.last_modified, inode.content_modified);
    return inode.directory.marker ? inode.directory.marker_modified : inode.mtime;
}

}  // namespace objstore
