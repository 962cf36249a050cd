#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "objstore/base/status.h"
#include "objstore/meta/tables.h"

// From keys to entries.
namespace objstore {

// not_found (no_bucket).
Result<BucketRow> find_bucket(Tables& tables, InodeId bucket);

// Where a key is, or would be.
struct KeyPlace {
    std::optional<InodeId> parent;  // none: not all directories on the way exist
    std::string_view name;          // the last entry's, of the key given
    std::optional<Entry> entry;
};
// `key` is checked, and must outlive the result.
Result<KeyPlace> find_key(Tables& tables, InodeId bucket, std::string_view key);

// The last of the directories, with those that are missing made as implied ones. `last_id`: the
// last one's id if it is made; 0: choose.
Result<InodeId> make_directories(Tables& tables,
                                 const BucketRow& bucket,
                                 std::span<const std::string_view> names,
                                 UnixNanos time,
                                 InodeId last_id = 0);

}  // namespace objstore
