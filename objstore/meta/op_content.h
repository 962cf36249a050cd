#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "objstore/meta/inode.h"

// What several operations bring along.
namespace objstore {

// Conditions of S3 writes on the key as it is. Empty: none.
struct WriteConditions {
    std::vector<std::string> if_match;       // ETags without quotes, or "*"
    std::vector<std::string> if_none_match;  // likewise
    std::optional<UnixNanos> if_unmodified_since;
    std::optional<std::uint64_t> if_size;
    std::optional<UnixNanos> if_last_modified;  // DeleteObjects: equal to the second
};

// New bytes: extents already stored, or bytes to keep inline.
struct NewContent {
    std::vector<Extent> extents;  // sorted; logical offsets in the object
    struct Inline {
        std::uint64_t logical_offset = 0;
        std::string bytes;  // at most 64 KiB
    };
    std::vector<Inline> inlines;
};

// A range of another object's stored bytes to share, or of a part's. conflict if its generation or
// ETag is another now.
struct CloneRange {
    InodeId source = 0;  // of a part: the upload's id
    std::uint64_t source_generation = 0;
    std::uint64_t source_offset = 0;
    std::uint64_t length = 0;
    std::uint64_t offset = 0;  // in the target
    std::uint32_t part = 0;    // its number; 0: the source is an inode
    ETag part_etag = {};
};
// What one operation shares of an inode, or joins of parts.
inline constexpr std::size_t kSharedExtentsMax = 10'000;

}  // namespace objstore
