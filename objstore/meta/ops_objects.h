#pragma once

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "objstore/base/status.h"
#include "objstore/meta/ops_paths.h"
#include "objstore/meta/tables.h"

// What PutObject and CompleteUpload have in common: a new object under a key.
namespace objstore {

struct KeyWrite {
    InodeId bucket = 0;
    std::string_view key;
    const Inode& object;    // size, mtime, ETag, headers, checksums; id 0: choose
    bool prepared = false;  // `object.id` is of PrepareContentOp
    std::vector<ObjectPart> parts = {};
    std::optional<std::uint32_t> mode;
    std::optional<std::pair<std::uint32_t, std::uint32_t>> owner;
    const WriteConditions& conditions;
    UnixNanos time = 0;
};

// Between the two steps: the object's inode is there, the caller gives it its content.
struct KeyTarget {
    Entry entry;               // as it will be
    std::optional<Entry> old;  // what goes; a marker's directory stays
    bool marker() const { return entry.type == FileType::directory; }
};

// Checks key and conditions and makes directories and the inode; a marker's is its directory.
// Fills result.before: the object that is replaced.
Result<KeyTarget> begin_key_write(Tables& tables, const KeyWrite& write, OpResult& result);
// The key now leads to the object, whose content has its final extents.
Status finish_key_write(Tables& tables,
                        const KeyWrite& write,
                        const KeyTarget& target,
                        OpResult& result);

}  // namespace objstore
