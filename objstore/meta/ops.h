#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "objstore/erasure/volume_row.h"
#include "objstore/meta/inode.h"
#include "objstore/meta/op_content.h"
#include "objstore/meta/op_result.h"
#include "objstore/meta/rows.h"

// Everything that can change the namespace. Operations, not rows, are the interface: each checks
// its own preconditions on the writer, so none is ever retried for a race. Times, random numbers
// and content generations come in with the operation.
namespace objstore {

// ---- S3: keys --------------------------------------------------------------------------------
struct CreateBucketOp {
    BucketRow bucket;
};  // inode 0: the writer chooses
struct DeleteBucketOp {
    std::string name;
    UnixNanos time = 0;
};
// A nameless file that WriteOps fill, for PutObjectOp and CompleteUploadOp; who makes it holds it,
// or else it is reaped.
struct PrepareContentOp {
    InodeId bucket = 0;
    InodeId inode = 0;
    UnixNanos time = 0;
};
// Swaps a new inode in under the key, with all directories it passes through. `inode` carries
// size, mtime (0: `time`), ETag, headers, checksums. What is replaced leaves its owner and
// mode; else they are the bucket's, or `owner` and `mode`. A key that ends in '/' makes or replaces
// a marker. unsupported (too_large): more extents than one operation shares, prepare the content.
struct PutObjectOp {
    InodeId bucket = 0;
    std::string key;
    Inode inode;  // id 0: the writer chooses; of a marker: its directory's, if that is made
    NewContent content;
    InodeId stripes_of = 0;          // whose the stripes of `content` say they are; 0: the object's
    std::vector<CloneRange> clones;  // CopyObject
    InodeId prepared = 0;            // instead of content: of PrepareContentOp, gets the name
    InodeId parts_of = 0;            // whose list of parts it gets
    std::optional<std::uint32_t> mode;                             // 0777 bits from S3 metadata
    std::optional<std::pair<std::uint32_t, std::uint32_t>> owner;  // uid, gid where allowed
    WriteConditions conditions;
    UnixNanos time = 0;
};
// New headers for the key's inode, same content (CopyObject onto itself with REPLACE).
struct PutHeadersOp {
    InodeId bucket = 0;
    std::string key;
    std::uint64_t generation = 0;
    HeaderList headers;
    WriteConditions conditions;
    UnixNanos time = 0;
};
struct DeleteObjectOp {
    InodeId bucket = 0;
    std::string key;
    WriteConditions conditions;
    UnixNanos time = 0;
};
struct CreateUploadOp {
    UploadRow upload;
};  // inode 0: the writer chooses
// Replaces a part of that number. Clones: UploadPartCopy (offsets in the part).
struct PutPartOp {
    PartRow part;  // its extents come from `clones` and `content`
    std::vector<CloneRange> clones;
    NewContent content;
};
struct AbortUploadOp {
    InodeId bucket = 0;
    std::string key;
    std::uint64_t upload = 0;
};
// unsupported (too_large): as PutObjectOp.
struct CompleteUploadOp {
    InodeId bucket = 0;
    std::string key;
    std::uint64_t upload = 0;
    struct Part {
        std::uint32_t number = 0;
        std::string etag;
        std::string checksum;
        std::optional<std::uint64_t> size = {};
    };
    // Ascending numbers; checksums are raw bytes or empty. All that is given must be the stored
    // part's: `inode` was made from it.
    std::vector<Part> parts;
    Inode inode;  // template: times, ETag, checksums; size and list of parts follow from the parts
    InodeId prepared = 0;  // as in PutObjectOp; the parts' content, shared
    std::uint64_t part_bytes_min = std::uint64_t{5} << 20;
    std::optional<std::uint64_t> expected_size;
    std::optional<std::uint32_t> mode;
    std::optional<std::pair<std::uint32_t, std::uint32_t>> owner;
    WriteConditions conditions;
    UnixNanos time = 0;
};

// ---- POSIX: inodes and names (no trailing '/' in `name` here; the operation knows the type) ----
struct CreateOp {
    InodeId parent = 0;
    std::string name;
    Inode inode;  // type, mode, uid, gid, times (ctime: now), rdev, target, verifier, headers
    bool directory_setgid = true;  // inherit the group of a setgid parent
};                                 // already_exists: with the existing inode in the result
struct LinkOp {
    InodeId inode = 0;
    InodeId parent = 0;
    std::string name;
    UnixNanos time = 0;
};
struct UnlinkOp {
    InodeId parent = 0;
    std::string name;
    UnixNanos time = 0;
};
struct RmdirOp {
    InodeId parent = 0;
    std::string name;
    UnixNanos time = 0;
};
struct RenameOp {
    InodeId parent = 0;
    std::string name;
    InodeId new_parent = 0;
    std::string new_name;
    bool no_replace = false;
    bool exchange = false;
    UnixNanos time = 0;
};
struct SetAttributesOp {
    InodeId inode = 0;
    std::optional<std::uint32_t> mode, uid, gid;
    std::optional<UnixNanos> atime, mtime;
    std::optional<UnixNanos> guard_ctime;  // conflict: it differs (NFS SETATTR)
    bool clear_setid = false;
    UnixNanos time = 0;  // ctime, and times "now"; 0: atime by reading, which is no change
};
// New bytes over old ones. Extends the size to `size_at_least`. Makes a new generation and ETag.
struct WriteOp {
    InodeId inode = 0;
    NewContent content;
    std::vector<CloneRange> clones;  // copy_file_range
    std::uint64_t size_at_least = 0;
    bool clear_setid = false;
    UnixNanos time = 0;
};
struct TruncateOp {
    InodeId inode = 0;
    std::uint64_t size = 0;
    bool clear_setid = false;
    UnixNanos time = 0;
};
struct PunchOp {
    InodeId inode = 0;
    std::uint64_t offset = 0, length = 0;
    UnixNanos time = 0;
};
struct SetXattrOp {
    XattrRow xattr;
    bool must_be_absent = false, must_exist = false;
    UnixNanos time = 0;
};
struct RemoveXattrOp {
    InodeId inode = 0;
    std::string name;
    UnixNanos time = 0;
};

// ---- Upkeep ------------------------------------------------------------------------------------
// Makes all of an orphan's content garbage and forgets it; of a large one only some, and its row
// stays for another ReapOp. Nothing if it is held or has a name.
struct ReapOp {
    InodeId inode = 0;
};
// Removes the directory if it is implied, empty and unused (semantics, section 3).
struct PruneOp {
    InodeId directory = 0;
    UnixNanos time = 0;
};
// The mover: the inline row's bytes now lie in `extents` (logical offsets from 0 in the row). Every
// extent that names the row is replaced. Nothing if the row is gone.
struct PackInlineOp {
    std::uint64_t inline_id = 0;
    std::vector<Extent> extents;
};
struct AddVolumeOp {
    VolumeRow volume;
};
struct SealVolumeOp {
    VolumeId volume = 0;
    std::uint64_t length = 0, payload_bytes = 0;
};
struct SetSettingOp {
    std::string name, value;
};

using Op = std::variant<CreateBucketOp,
                        DeleteBucketOp,
                        PrepareContentOp,
                        PutObjectOp,
                        PutHeadersOp,
                        DeleteObjectOp,
                        CreateUploadOp,
                        PutPartOp,
                        AbortUploadOp,
                        CompleteUploadOp,
                        CreateOp,
                        LinkOp,
                        UnlinkOp,
                        RmdirOp,
                        RenameOp,
                        SetAttributesOp,
                        WriteOp,
                        TruncateOp,
                        PunchOp,
                        SetXattrOp,
                        RemoveXattrOp,
                        ReapOp,
                        PruneOp,
                        PackInlineOp,
                        AddVolumeOp,
                        SealVolumeOp,
                        SetSettingOp>;

}  // namespace objstore
