#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "objstore/base/bytes.h"
#include "objstore/base/clock.h"
#include "objstore/base/extent.h"
#include "objstore/base/status.h"

namespace objstore {

enum class FileType : std::uint8_t {
    regular = 1,
    directory = 2,
    symlink = 3,
    fifo = 4,
    char_device = 5,
    block_device = 6,
    socket = 7,
};

// What S3 calls an ETag: 16 bytes and, for `-N` forms, N. Files changed through a mount have parts
// = 1 and a digest derived from inode and generation.
struct ETag {
    std::array<std::byte, 16> digest{};
    std::uint32_t parts = 0;  // 0: plain MD5
    bool operator==(const ETag&) const = default;
    std::string to_string() const;  // 32 hex digits and maybe "-N"; no quotes
};
ETag derived_etag(InodeId inode, std::uint64_t generation);

enum class ChecksumKind : std::uint8_t {
    none = 0,
    crc32 = 1,
    crc32c = 2,
    crc64nvme = 3,
    sha1 = 4,
    sha256 = 5,
};
// A checksum that S3 stored with an object or part; raw bytes, most significant first.
struct StoredChecksum {
    ChecksumKind kind = ChecksumKind::none;
    std::uint32_t parts = 0;  // composite ("-N"): number of parts; 0: of the full object
    std::string value;
    bool operator==(const StoredChecksum&) const = default;
};

// One part of an object made by CompleteMultipartUpload: for GET partNumber and attributes.
struct ObjectPart {
    std::uint32_t number = 0;
    std::uint64_t size = 0;
    std::string checksum;  // raw bytes, of the object's kind; empty: none
    bool operator==(const ObjectPart&) const = default;
};

using HeaderList = std::vector<std::pair<std::string, std::string>>;  // lower case names, in order

// How a directory came to be (semantics, section 3).
enum class DirectoryKind : std::uint8_t { implied = 1, made = 2 };

struct DirectoryState {
    DirectoryKind kind = DirectoryKind::made;
    bool marker = false;  // an S3 key `a/` exists here: body, headers, ETag are the inode's
    std::int64_t marker_modified = 0;  // Last-Modified of the marker
    std::uint64_t children = 0;        // entries, of every kind
    std::uint64_t hidden = 0;          // of those, names no path can express
    std::uint64_t subdirectories = 0;  // of those, directories (nlink = 2 + this)
    std::uint64_t visible = 0;         // of those, entries that are or hold a key S3 lists
    bool operator==(const DirectoryState&) const = default;
};

// A file's or directory's record: everything but its extra extents and xattrs.
struct Inode {
    InodeId id = 0;
    FileType type = FileType::regular;
    std::uint32_t mode = 0;  // 07777
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::uint32_t nlink = 0;
    std::uint64_t size = 0;
    std::uint64_t rdev = 0;
    UnixNanos atime = 0;
    UnixNanos mtime = 0;
    UnixNanos ctime = 0;
    UnixNanos btime = 0;
    // When the content last changed in place. The Last-Modified of a name is the later of this and
    // its entry's, so that a write through one of several hard links shows at all of them.
    UnixNanos content_modified = 0;
    std::uint64_t change = 0;      // moves on every modification (NFS change attribute)
    std::uint64_t generation = 0;  // moves when content does
    std::uint64_t verifier = 0;    // NFS exclusive create
    InodeId bucket = 0;            // the bucket it lies in: that bucket's directory inode
    // Its one name, when it has exactly one; parent 0 otherwise (hard links, orphans, the root).
    InodeId parent = 0;
    std::string name;
    ETag etag;           // of regular files and markers
    HeaderList headers;  // content-type, …, x-amz-meta-…
    std::vector<StoredChecksum> checksums;
    // Of the object's list of parts, which is in the `object_parts` table: listings read records
    // alone. 0 unless made by a multipart upload.
    std::uint32_t part_count = 0;
    std::string target;  // symlink
    DirectoryState directory;
    bool has_xattrs = false;
    // All extents by logical offset, or, when `extents_in_table`, none: they are rows.
    bool extents_in_table = false;
    std::vector<Extent> extents;

    bool is_directory() const { return type == FileType::directory; }
    bool is_regular() const { return type == FileType::regular; }
    bool operator==(const Inode&) const = default;
};
using InodePtr = std::shared_ptr<const Inode>;  // shared: caches and readers hold it at once

// A name in a directory. `name` ends in '/' exactly when it names a directory, so that key order is
// S3 order and `a` and `a/` coexist.
struct Entry {
    InodeId parent = 0;
    std::string name;
    InodeId inode = 0;
    FileType type = FileType::regular;
    std::uint64_t cookie = 0;     // positive, 63 bits, unique in the directory
    UnixNanos last_modified = 0;  // when this key last got its content
    bool operator==(const Entry&) const = default;
};
struct EntryWithInode {
    Entry entry;
    InodePtr inode;
};

// Whether no path can express this name: empty, "." or "..", longer than 255 (trailing '/' aside).
bool hidden_from_paths(std::string_view entry_name);

// Bytes of a stored record; docs/formats.md. Without `id`, `parent` and `name`, which the row that
// holds the record says: who decodes one sets them. Unknown format: corruption.
std::string encode_inode(const Inode& inode);
Result<Inode> decode_inode(Bytes bytes);

}  // namespace objstore
