#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "objstore/base/bytes.h"
#include "objstore/base/status.h"

namespace objstore {

// Bytes for a place of a file.
struct FileWrite {
    std::uint64_t offset = 0;
    Bytes bytes;
};

// What bytes that are read must be, for whoever keeps several copies of them.
struct ReadCheck {
    // So many of the first ones help to check the others, and are not vouched for.
    std::size_t context_bytes = 0;
    std::function<bool(Bytes)> is_right;
};

// An open file of a disk. Closed by its destructor, which never syncs.
// Durability: nothing is durable before `sync` has returned ok. After a failed sync the file is
// lost: never sync it again, close it and place its bytes elsewhere.
// Threads: any; calls may overlap.
class File {
public:
    virtual ~File() = default;

    // Fills `out` from `offset`. corruption: the file ends before that.
    virtual Status read_at(std::uint64_t offset, MutableBytes out) const = 0;
    // As read_at, but may end early at the end of the file. Returns the bytes read.
    virtual Result<std::size_t> read_some_at(std::uint64_t offset, MutableBytes out) const = 0;
    // Fills `out` if that needs no wait for the device. False: it does, or the file is shorter.
    virtual bool try_read_at(std::uint64_t offset, MutableBytes out) const = 0;
    // As read_at, from whichever copy is right; copies that are not are mended. corruption: none
    // is.
    virtual Status read_checked_at(std::uint64_t offset,
                                   MutableBytes out,
                                   const ReadCheck& check) const;
    // Writes all pieces, one after another, from `offset`. After an error any part may be there.
    virtual Status write_at(std::uint64_t offset, std::span<const Bytes> pieces) = 0;
    Status write_at(std::uint64_t offset, Bytes bytes) { return write_at(offset, {&bytes, 1}); }
    // In their order. After an error any part may be there.
    virtual Status write_each(std::span<const FileWrite> writes);
    // Makes data and size durable (fdatasync).
    virtual Status sync() = 0;
    // Both, in one go. Why::outcome_unknown: the writing was done, so the sync has failed.
    virtual Status write_and_sync(std::span<const FileWrite> writes);
    // Reserves space without changing the size. no_space when there is none.
    virtual Status allocate(std::uint64_t offset, std::uint64_t length) = 0;
    virtual Status truncate(std::uint64_t size_bytes) = 0;
    // Gives the range back to the file system; it reads as zeros. unsupported: it can not.
    virtual Status punch_hole(std::uint64_t offset, std::uint64_t length) = 0;
    virtual Result<std::uint64_t> size() const = 0;
    // Hints, without promise: start writing the range to the device; forget its cached pages.
    virtual void start_write_out(std::uint64_t offset, std::uint64_t length) = 0;
    virtual void drop_cache(std::uint64_t offset, std::uint64_t length) = 0;
};

enum class OpenMode : unsigned char {
    read,        // must exist
    write,       // read and write, must exist
    create_new,  // read and write, must not exist (already_exists)
    create,      // read and write, made when absent
};

struct DiskSpace {
    std::uint64_t total_bytes = 0;
    std::uint64_t free_bytes = 0;
};

// One failure domain: a directory of this machine, or later a peer's. Paths are relative, with
// '/', without "." or "..". Names (files made, renamed, removed) are durable after `sync_dir` of
// their directory. Threads: any.
class Disk {
public:
    virtual ~Disk() = default;

    // For messages: the path as the operator gave it.
    virtual const std::string& name() const = 0;
    virtual Result<std::unique_ptr<File>> open(std::string_view path, OpenMode mode) = 0;
    // Makes one directory. Ok when it is there already.
    virtual Status make_dir(std::string_view path) = 0;
    // Makes the entries of the directory ("" is the disk's root) durable.
    virtual Status sync_dir(std::string_view path) = 0;
    // Replaces `to` when it exists. Both in directories that exist.
    virtual Status rename(std::string_view from, std::string_view to) = 0;
    // A file or an empty directory. not_found when absent.
    virtual Status remove(std::string_view path) = 0;
    // The names in a directory, in no order; a directory's name ends in '/'.
    virtual Result<std::vector<std::string>> list(std::string_view path) = 0;
    virtual Result<DiskSpace> space() = 0;
};

}  // namespace objstore
