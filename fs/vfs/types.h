#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "objstore/base/bytes.h"
#include "objstore/base/clock.h"
#include "objstore/base/extent.h"
#include "objstore/base/status.h"
#include "objstore/engine/engine.h"

// The values that the POSIX machine's callers pass and get.
namespace fs {

using objstore::Bytes;
using objstore::Door;
using objstore::FileType;
using objstore::InodeId;
using objstore::kRootInode;
using objstore::MutableBytes;
using objstore::Result;
using objstore::Status;
using objstore::UnixNanos;

inline constexpr std::size_t kNameBytesMax = 255;
inline constexpr std::size_t kPathBytesMax = 4096;
inline constexpr std::size_t kTargetBytesMax = 4095;
inline constexpr std::size_t kXattrNameBytesMax = 255;
inline constexpr std::size_t kXattrValueBytesMax = 64 * objstore::kKiB;
inline constexpr std::uint64_t kFileBytesMax = (std::uint64_t{1} << 63) - 1;

// Who asks, and by which door. NFS has squashed its users before.
struct Credentials {
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::vector<std::uint32_t> groups;  // supplementary
    Door door = Door::internal;
    // The kernel of the local mount has checked modes and owners already, with capabilities and
    // all groups, which a FUSE request does not carry.
    bool checked = false;
};

// What stat(2) and GETATTR3 show. Bytes that wait to be flushed count.
struct Attributes {
    InodeId inode = 0;   // fileid; never 0
    InodeId bucket = 0;  // the directory inode of its bucket; 0 of the root
    InodeId parent = 0;  // of directories and of files with exactly one name; else 0
    FileType type = FileType::regular;
    std::uint32_t mode = 0;  // 07777
    std::uint32_t nlink = 0;
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::uint64_t rdev = 0;  // as dev_t of Linux
    std::uint64_t size = 0;
    std::uint64_t used_bytes = 0;  // stored, holes left out where that is known cheaply
    UnixNanos atime = 0;
    UnixNanos mtime = 0;
    UnixNanos ctime = 0;
    UnixNanos btime = 0;
    std::uint64_t change = 0;
    std::uint64_t generation = 0;  // of the content

    bool is_directory() const { return type == FileType::directory; }
    bool is_regular() const { return type == FileType::regular; }
};

// A change of one inode's attributes or content, both sides atomic with it (WCC data).
struct AttributeChange {
    Attributes before;
    Attributes after;
};

// A change of names. Absent: not known. Of mkdir, create, mknod, symlink, link, unlink, rmdir.
struct NameChange {
    std::optional<Attributes> attributes;  // of the inode concerned, as it is now; none when gone
    std::optional<AttributeChange> parent;
    std::optional<AttributeChange> new_parent;  // rename alone
};

struct SetAttributes {
    std::optional<std::uint32_t> mode, uid, gid;
    std::optional<std::uint64_t> size;
    std::optional<UnixNanos> atime, mtime;
    bool atime_now = false, mtime_now = false;  // the server's clock
    std::optional<UnixNanos> guard_ctime;       // conflict (Why::precondition): it differs
};

// Bits of access(2): what is asked, and what is granted.
inline constexpr std::uint32_t kMayExecute = 1;  // or search
inline constexpr std::uint32_t kMayWrite = 2;
inline constexpr std::uint32_t kMayRead = 4;

struct OpenFlags {
    bool read = false;
    bool write = false;
    bool truncate = false;
};

struct CreateRequest {
    enum class How : std::uint8_t {
        unchecked,  // an existing regular file is fine
        guarded,    // already_exists when the name is taken (O_EXCL, mkdir)
        exclusive,  // likewise, unless it is taken by a create with this verifier (EXCLUSIVE)
    };
    How how = How::guarded;
    std::uint32_t mode = 0;  // 07777, umask applied
    std::uint64_t verifier = 0;
    SetAttributes attributes;       // further ones; size 0 truncates what exists
    std::optional<OpenFlags> open;  // opens it too, whatever its mode
};

struct RenameFlags {
    bool no_replace = false;
    bool exchange = false;
};

struct ReadResult {
    std::size_t size = 0;
    bool end_of_file = false;
};

// How far written bytes got; as NFS counts.
enum class Stability : std::uint8_t { unstable = 0, data_sync = 1, file_sync = 2 };

struct WriteResult {
    std::size_t size = 0;
    std::uint64_t offset = 0;  // where they are: with `append` the end may have moved
    Stability stability = Stability::unstable;  // reached; never more than is true
    AttributeChange change;
};

enum class AllocateMode : std::uint8_t {
    extend,     // posix_fallocate: the size grows where needed; no space is set aside
    keep_size,  // succeeds and does nothing: stripes are written anew in any case
    punch,      // a hole; the size stays
    zero,       // zeros; the size grows where needed
    zero_keep,  // zeros within the size
};

struct CopyRange {
    InodeId source = 0;
    std::uint64_t source_offset = 0;
    InodeId target = 0;
    std::uint64_t target_offset = 0;
    std::uint64_t length = 0;
};

struct DirectoryEntry {
    std::string name;
    std::uint64_t cookie = 0;  // positive, 63 bits; the next page begins after it
    Attributes attributes;
};
struct DirectoryPage {
    std::vector<DirectoryEntry> entries;  // without "." and ".."
    bool end = false;
};

struct SpaceInfo {
    std::uint64_t total_bytes = 0;
    std::uint64_t free_bytes = 0;
    std::uint64_t files = 0;       // in use
    std::uint64_t files_free = 0;  // no fixed limit: a large number
};

}  // namespace fs
