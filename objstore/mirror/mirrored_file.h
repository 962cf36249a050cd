#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "objstore/base/guarded.h"
#include "objstore/mirror/mirror_set.h"

namespace objstore {

// One file on each mirror: written and synced on all, read from one. What it answers ok is so on
// each mirror that a record names (MirrorSet::settle). With more than one mirror the caller touches
// no disk itself, and what is written is copied, since a disk that hangs may use it later.
// Reads are from the first mirror at hand; the copies that read_checked_at finds wrong are mended.
// Threads: any, but one writes at a time. The set must outlive it.
class MirroredFile final : public File {
public:
    // One mirror's copy. Shared: a call that hangs may use it still.
    struct Part {
        MirrorPtr mirror;
        std::shared_ptr<File> file;
    };
    MirroredFile(MirrorSet& set, std::vector<Part> parts);

    using File::write_at;
    Status read_at(std::uint64_t offset, MutableBytes out) const override;
    Result<std::size_t> read_some_at(std::uint64_t offset, MutableBytes out) const override;
    bool try_read_at(std::uint64_t offset, MutableBytes out) const override;
    Status read_checked_at(std::uint64_t offset,
                           MutableBytes out,
                           const ReadCheck& check) const override;
    Status write_at(std::uint64_t offset, std::span<const Bytes> pieces) override;
    Status write_each(std::span<const FileWrite> writes) override;
    Status sync() override;
    Status write_and_sync(std::span<const FileWrite> writes) override;
    Status truncate(std::uint64_t size_bytes) override;
    Result<std::uint64_t> size() const override;
    // Hints, and what SQLite's files do not need.
    Status allocate(std::uint64_t offset, std::uint64_t length) override;
    Status punch_hole(std::uint64_t offset, std::uint64_t length) override;
    void start_write_out(std::uint64_t offset, std::uint64_t length) override;
    void drop_cache(std::uint64_t offset, std::uint64_t length) override;

    // A mirror that joins takes the writes that begin before its cursor, and no sync, until it has
    // all. One at a time.
    void begin_join(Part part);
    // Whether a block of 4 KiB is what was written at that offset.
    using BlockCheck = std::function<bool(std::uint64_t offset, Bytes)>;
    // Copies the next `bytes`, a multiple of 4 KiB, to it. False: it has all, and takes part in
    // everything from here on.
    Result<bool> copy_to_joiner(std::size_t bytes, const BlockCheck& is_right);
    // The locks of writers, for a look at files that nobody changes.
    std::unique_lock<std::mutex> stop_writers() const;
    std::vector<Part> parts() const;
    // A write or sync has failed, so that the mirrors may have different bytes.
    bool is_in_doubt() const { return in_doubt_; }

private:
    class Search;
    static constexpr std::uint64_t kAll = std::numeric_limits<std::uint64_t>::max();

    // What one disk is asked to do. It owns all that it uses.
    using Call = std::function<Status(File&)>;
    // With write_mutex_ held. `begin`: the first byte that is touched, kAll: the file as a whole.
    Status on_all(std::uint64_t begin, const Call& call);
    Status write_all(std::span<const FileWrite> writes, bool sync);
    std::vector<Part> readable_parts() const;
    void mend(const Part& wrong, const Part& right, FileWrite good, const ReadCheck& check) const;
    void read_for_copy(std::uint64_t offset, MutableBytes out, const BlockCheck& is_right) const;

    MirrorSet& set_;
    // Held while waiting for write_mutex_, so that one who writes without a pause lets others in.
    mutable std::mutex turn_mutex_;
    mutable std::mutex write_mutex_;  // of those who write, also to mend
    Guarded<std::vector<Part>> parts_;
    std::atomic<bool> in_doubt_{false};
    MirrorPtr joiner_;                 // with write_mutex_
    std::uint64_t joiner_cursor_ = 0;  // likewise; kAll: it has all
};

}  // namespace objstore
