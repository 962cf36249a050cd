#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <vector>

#include "objstore/base/clock.h"
#include "objstore/base/status.h"
#include "objstore/meta/inode.h"

namespace objstore {

// A bucket: its directory inode (parent root, name "bucket/") and settings.
struct BucketRow {
    InodeId inode = 0;
    std::string name;
    UnixNanos created = 0;
    std::string region;
    // Defaults of new objects (semantics, section 4).
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::uint32_t file_mode = 0644;
    std::uint32_t directory_mode = 0755;
    std::uint8_t versioning = 0;  // 0 never, 1 enabled, 2 suspended: always 0 until that is built
    bool owner_from_metadata = false;
    bool operator==(const BucketRow&) const = default;
};

// A multipart upload in progress. Its parts are written under `inode`, which becomes the object's.
struct UploadRow {
    std::uint64_t id = 0;  // random
    InodeId bucket = 0;  // 0: it was aborted, and its inode is an orphan until all parts are freed
    std::string key;
    InodeId inode = 0;
    UnixNanos initiated = 0;
    HeaderList headers;
    ChecksumKind checksum_kind = ChecksumKind::none;
    bool checksum_full_object = false;
    bool operator==(const UploadRow&) const = default;
};

struct PartRow {
    std::uint64_t upload = 0;
    std::uint32_t number = 0;
    std::uint64_t size = 0;
    ETag etag;
    StoredChecksum checksum;
    UnixNanos last_modified = 0;
    std::vector<Extent> extents;  // logical offsets from 0 in the part
    bool operator==(const PartRow&) const = default;
};

struct XattrRow {
    InodeId inode = 0;
    std::string name;
    std::string value;
    bool operator==(const XattrRow&) const = default;
};

// The parts of an upload share one inode; this tells their extents apart where an inode and a
// logical offset name an extent (InlineRow, SharedRow).
inline constexpr std::uint64_t kPartBytesMax = std::uint64_t{1} << 40;
constexpr std::uint64_t part_offset(std::uint32_t number, std::uint64_t offset) {
    return number * kPartBytesMax + offset;
}

// Bytes kept in the namespace until the mover packs them, with their checksum: an error of the disk
// between the pages of a row would not show otherwise. Extents with `shared` set that name them
// have a SharedRow each (volume 0); all others are extents of `inode`, as far in as the bytes are.
struct InlineRow {
    std::uint64_t id = 0;
    InodeId inode = 0;                 // whom they were written for; a part's: the upload's inode
    std::uint64_t generation = 0;      // of its content then
    std::uint64_t logical_offset = 0;  // where in it the first byte lies; a part's: part_offset
    std::uint32_t crc = 0;             // CRC32C of `bytes`
    std::string bytes;
    bool operator==(const InlineRow&) const = default;
};
// corruption: they are not the bytes that were written. Nothing that only deletes asks.
Status check_bytes(const InlineRow& row);

// What is known of such bytes without reading them.
struct InlineHead {
    std::uint64_t id = 0;
    InodeId inode = 0;
    std::uint64_t logical_offset = 0;
    std::uint32_t crc = 0;
    std::uint64_t size_bytes = 0;
};
InlineHead head_of(const InlineRow& row);

// One holder of stored bytes that more than one extent names: every extent with `shared` set has
// one, of exactly its range. The bytes are garbage when no holder covers them.
struct SharedRow {
    std::uint64_t volume = 0;
    std::uint64_t place = 0;
    InodeId inode = 0;                 // a part's: the upload's inode
    std::uint64_t logical_offset = 0;  // of the holding extent; a part's: part_offset
    std::uint32_t payload_offset = 0;
    std::uint64_t length = 0;
    bool operator==(const SharedRow&) const = default;

    // The bits of length - 1: the length is 2^n at most. Holders are found by it and their offset:
    // one of a class can reach a byte only from a bounded way before it.
    std::uint8_t size_class() const {
        return static_cast<std::uint8_t>(length == 0 ? 0 : std::bit_width(length - 1));
    }
};

// An inode without a name that is open somewhere, or a removal that goes on in the background.
struct OrphanRow {
    InodeId inode = 0;
    UnixNanos since = 0;
    bool operator==(const OrphanRow&) const = default;
};

}  // namespace objstore
