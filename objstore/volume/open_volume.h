#pragma once

#include <atomic>
#include <functional>
#include <vector>

#include "objstore/volume/new_stripe.h"
#include "objstore/volume/shard_file.h"
#include "objstore/volume/stripe_order.h"
#include "objstore/volume/volume_map.h"

namespace objstore {

// A volume that this process made and appends to. It retires when it is full, on any failed write,
// or when told to; once its last write is done it is drained, and is to be sealed once.
// Durability: stripes that `append` with sync, or `append` and then `sync`, answered ok for are on
// all shards. Threads: any. Shared: streams keep the volumes that they have still to sync.
class OpenVolume final : public std::enable_shared_from_this<OpenVolume> {
public:
    struct Limits {
        std::uint64_t shard_bytes_max = 0;
        std::uint64_t allocate_bytes = 0;
    };
    struct Deps {
        DiskSet& disks;
        Executor& executor;
        VolumeCatalog& catalog;
        StripeOrder& order;
        // Called once, without locks, when the volume is drained: `seal` is to follow.
        std::function<void(std::shared_ptr<OpenVolume>)> drained;
    };
    // `files` of shard 0, 1 ... have their superblocks, synced.
    OpenVolume(Volume& volume,
               std::vector<std::unique_ptr<File>> files,
               Limits limits,
               const Deps& deps);

    Volume& volume() const { return volume_; }
    VolumeId id() const { return volume_.id(); }
    Geometry geometry() const { return volume_.geometry(); }

    // Reserves the first step of room on all disks.
    Status allocate_first();
    // Finds room for the stripes, which must be encoded, sets their places, builds their headers
    // and writes them to all disks at once; with `sync` they are durable on ok. conflict: retired,
    // nothing was done, take another volume. Other errors: retired too, and the disks at fault are
    // out; the stripes may go elsewhere. Unless the catalog failed, which changes nothing.
    enum class Sync : bool { no, yes };
    Status append(std::span<NewStripe> stripes, Sync sync);
    // Makes all that was appended before durable. After an error nothing appended since the last
    // sync counts as durable.
    Status sync();
    // Of what is durable.
    void drop_cache(std::uint64_t place, std::uint64_t length);

    bool retired() const { return retired_.load(std::memory_order_relaxed); }
    void retire();
    // Whether its disks are all in use: for the volume's owner to retire it. Cheap when nothing
    // changed since the last call.
    bool disks_writable() const;
    // Writes footers, gives back what was reserved, syncs, tells the catalog. Once, when drained.
    // After an error the volume stays open in the catalog, and the next start does it.
    Status seal();
    // Blocks until `seal` is done, however it went.
    void wait_sealed();

private:
    struct State {
        std::uint64_t end = kSuperblockBytes;  // where the next stripe goes
        int writers = 0;
        bool retired = false;
        bool drained = false;
        std::uint64_t payload_bytes = 0;
        std::vector<FooterEntry> index;  // of stripes that are whole, in no order
    };

    Result<std::uint64_t> begin(std::uint64_t bytes, std::size_t stripe_count);
    void end(std::span<const NewStripe> written);
    Status grow(std::uint64_t end);
    Status write_shard(int shard, std::span<const NewStripe> stripes, Sync sync);
    Status for_each_shard(const std::function<Status(int)>& fn);
    Status seal_shard(int shard, std::uint64_t length, std::span<const FooterEntry> index);
    Status seal_all();

    Volume& volume_;
    const Limits limits_;
    const Deps deps_;
    std::vector<std::unique_ptr<ShardFile>> shards_;
    Guarded<State> state_;
    std::atomic<bool> retired_{false};  // as State::retired, for a look without the lock
    std::mutex grow_mutex_;             // held while the disks reserve: who needs the room waits
    std::uint64_t reserved_end_ = kSuperblockBytes;          // under grow_mutex_
    std::atomic<std::uint64_t> reserved_{kSuperblockBytes};  // the same, for a look
    std::mutex sealed_mutex_;
    std::condition_variable sealed_;
    bool is_sealed_ = false;  // under sealed_mutex_
};

}  // namespace objstore
