#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "objstore/base/bytes.h"
#include "objstore/meta/sqlite_wal.h"

namespace objstore {

// SQLite's levels of a lock on a database file, with its numbers.
enum class SqliteLockLevel : int { none = 0, shared = 1, reserved = 2, pending = 3, exclusive = 4 };

// The locks and the WAL's shared memory of one database among the connections of this process.
// Nothing waits: what is taken is refused. Threads: any, one at a time for each holder.
class SqliteLocks final {
public:
    // What one connection holds. It gives all back (unlock, unmap) before it ends.
    struct Holder {
        SqliteLockLevel level = SqliteLockLevel::none;
        std::uint16_t shared_slots = 0;     // a bit for each slot of the shared memory
        std::uint16_t exclusive_slots = 0;  // likewise
        bool mapped = false;
    };
    struct Slots {
        int first = 0;
        int count = 1;
    };

    // Raises the level. False: others stand in the way; an attempt at exclusive leaves pending.
    bool lock(Holder& holder, SqliteLockLevel level);
    void unlock(Holder& holder, SqliteLockLevel level);
    // Whether any connection may be about to write.
    bool is_reserved() const;

    // The region of the shared memory, zeros when new. Null when absent and not to be made. Stays
    // where it is until the last holder has unmapped.
    std::byte* map(Holder& holder, std::size_t region, std::size_t region_bytes, bool make);
    void unmap(Holder& holder);
    bool lock_shared(Holder& holder, Slots slots);
    bool lock_exclusive(Holder& holder, Slots slots);
    void unlock_slots(Holder& holder, Slots slots);

    // The committed end of the WAL as all connections see it.
    struct WalEnd {
        std::uint32_t frames = 0;  // 0: nothing in the WAL
        SqliteWalChecksum checksum;
    };
    WalEnd wal_end() const;
    // The next checkpoint copies all frames of the WAL again.
    void forget_backfill();
    // Nothing may begin on the shared memory that is there: its frames may not be in the file. It
    // ends when all holders have unmapped.
    void invalidate();
    bool is_invalid() const;

private:
    static constexpr int kSlotCount = 8;
    static constexpr int kExclusive = -1;

    void give_back(Holder& holder, Slots slots);
    std::atomic_ref<std::uint32_t> index_field(std::size_t offset) const;

    mutable std::mutex mutex_;
    int shared_count_ = 0;                 // holders at shared or above
    Holder* writer_ = nullptr;             // the one above shared
    std::array<int, kSlotCount> slots_{};  // number of sharers, or kExclusive
    mutable std::vector<Buffer> regions_;
    int mapped_count_ = 0;
    bool invalid_ = false;
};

}  // namespace objstore
