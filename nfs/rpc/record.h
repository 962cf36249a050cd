#pragma once

#include <cstdint>
#include <optional>

#include "nfs/xdr/block_pool.h"
#include "objstore/base/status.h"

namespace nfs {

// In a fragment's marker: the record ends with it. The other bits are its length.
inline constexpr std::uint32_t kLastFragment = 0x80000000;

// One RPC message. Its bytes live as long as somebody holds `block`. Let go of it on the thread of
// its window, which reuses the block when nobody else has it.
struct Record {
    objstore::Bytes bytes;
    BlockRef block;
};

// Takes the stream of a connection apart into records (RFC 5531, section 11). Bytes are received
// straight into a block of the pool: 128 KiB at first, a large one when so much of a record has
// come, for what is only announced costs its sender nothing. Where a record comes in several
// fragments they are moved together in place. What a peer can make this hold is one block, and the
// total of a record over all fragments is checked before any of it is waited for.
// Threads: one at a time. `pool` must outlive this.
class RecordWindow final {
public:
    static constexpr std::uint32_t kFragmentsMax = 1024;  // of one record; real clients send 1

    // `record_bytes_max` is at least 8 KiB less than what a large block of the pool holds.
    RecordWindow(BlockPool& pool, std::size_t record_bytes_max);

    // Where the next bytes from the socket go: never empty. Call `next` until it gives nothing
    // before this. Takes a block from the pool where there is none.
    objstore::MutableBytes space();
    // The next `space` will take a large block.
    bool wants_large() const;
    // Bytes in a large block that it has; 0: it has none or a small one.
    std::size_t large_bytes() const;
    void received(std::size_t size_bytes);
    // The next complete record, or nothing when more bytes are needed. An error means that the
    // stream can not be understood: cut it.
    objstore::Result<std::optional<Record>> next();

    // The peer owes us the rest of a record.
    bool mid_record() const;
    // Lends the block back to the pool between records, so that idle connections hold none.
    void release_if_idle();

private:
    bool take_fragment();
    objstore::Status begin_fragment();
    void make_room();
    bool has_room(std::size_t wanted) const;
    bool grows() const;
    bool is_large() const { return block_ && block_->size() > pool_.small_bytes(); }
    std::size_t wanted_bytes() const;
    std::size_t unread_bytes() const { return filled_ - read_at_; }

    BlockPool& pool_;
    const std::size_t record_bytes_max_;
    BlockRef block_;
    std::size_t filled_ = 0;   // bytes received into the block
    std::size_t read_at_ = 0;  // the first that has not been looked at
    std::size_t begin_ = 0;    // where the record being assembled begins
    std::size_t size_ = 0;     // how much of it there is
    std::size_t fragment_left_ = 0;
    std::uint32_t fragments_ = 0;  // begun in this record
    bool in_fragment_ = false;
    bool last_fragment_ = false;
};

}  // namespace nfs
