#pragma once

#include <cstdint>
#include <string>

#include "objstore/meta/inode.h"

namespace objstore {

// What an operation did.
struct OpResult {
    InodePtr inode;          // as it is now; null when it is gone
    Entry entry;             // of the key or name concerned, where there is one
    InodePtr before;         // what was replaced or removed (or, already_exists, what is there)
    InodePtr parent_before;  // WCC data: the parent (rename: the source's) before …
    InodePtr parent_after;   // … and after, atomic with the change
    InodePtr new_parent_before, new_parent_after;  // rename
};

// What caches elsewhere must forget.
struct Change {
    enum class Kind : std::uint8_t { entry, attributes, content };
    Kind kind = Kind::entry;
    InodeId inode = 0;  // entry: the parent
    std::string name;   // entry: without trailing '/'
};

}  // namespace objstore
