#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "objstore/meta/ops.h"
#include "tests/sim/map_tables.h"

namespace tests {

// A namespace in memory with bytes behind its extents and one bucket, "b". Operations get ever
// later times. Threads: one.
class SimNamespace final {
public:
    using InodeId = objstore::InodeId;
    static constexpr objstore::VolumeId kVolume = 7;

    SimNamespace();

    MapTables tables;
    InodeId bucket = 0;
    objstore::UnixNanos now = 1'700'000'000'000'000'000;
    objstore::OpResult result;  // of the last operation

    // One Txn of one operation.
    objstore::Status run(const objstore::Op& op);
    // A second later.
    objstore::UnixNanos tick() { return now += 1'000'000'000; }

    // New bytes: in a stripe of their own, or inline.
    objstore::NewContent stored(std::uint64_t offset, std::string_view bytes);
    static objstore::NewContent kept(std::uint64_t offset, std::string_view bytes);
    // The same bytes in a stripe, for the mover; cut in two when `split` is within.
    std::vector<objstore::Extent> packed(std::string_view bytes, std::size_t split = 0);

    // Operations as clients make them, at the next time. Keys are in the bucket.
    objstore::PutObjectOp put_op(std::string_view key, std::string_view bytes);
    objstore::Status put(std::string_view key, std::string_view bytes);
    objstore::Status copy(std::string_view from, std::string_view to);
    objstore::Status remove(std::string_view key);
    objstore::Status create(InodeId parent, std::string_view name, objstore::FileType type);
    objstore::Status make_file(InodeId parent, std::string_view name) {
        return create(parent, name, objstore::FileType::regular);
    }
    objstore::Status make_directory(InodeId parent, std::string_view name) {
        return create(parent, name, objstore::FileType::directory);
    }
    objstore::Status link(InodeId inode, InodeId parent, std::string_view name);
    objstore::Status unlink(InodeId parent, std::string_view name);
    objstore::Status rmdir(InodeId parent, std::string_view name);
    // Both in `parent`.
    objstore::Status rename(InodeId parent, std::string_view name, std::string_view new_name);
    objstore::Status write(InodeId inode, std::uint64_t offset, std::string_view bytes);
    objstore::Status set_xattr(InodeId inode, std::string_view name, std::string_view value);
    objstore::Status clone(const objstore::CloneRange& range, InodeId target);

    // By a key's entries, "a/" for a directory; 0 and null when it is not there.
    std::optional<objstore::Entry> entry(std::string_view key);
    InodeId id(std::string_view key);
    const objstore::Inode* inode(std::string_view key);
    const objstore::Inode* inode(InodeId id);
    // The content as a reader finds it: by extents, zeros in holes.
    std::string read(InodeId id);
    std::string read(std::string_view key) { return read(id(key)); }
    // The keys that LIST of the bucket shows, in order; found as an engine does, by counters.
    std::vector<std::string> list();
    std::uint64_t live_bytes();
    // A range that is all of the file, as it is now.
    objstore::CloneRange all_of(InodeId id, std::uint64_t offset = 0);

    // What check_tables says, as one text; empty when all is well.
    std::string problems() const;

private:
    objstore::Extent place(std::uint64_t offset, std::string_view bytes);
    std::vector<objstore::Extent> extents(const objstore::Inode& inode);
    void list_below(InodeId directory, const std::string& prefix, std::vector<std::string>& keys);

    std::map<std::uint64_t, std::string> payloads_;  // by the stripe's place
    std::uint64_t next_place_ = 0;
};

// An ETag that tells contents apart; good for tests alone.
objstore::ETag etag_of(std::string_view bytes);

}  // namespace tests
