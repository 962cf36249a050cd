#pragma once

#include <array>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <unordered_map>
#include <unordered_set>

#include "objstore/base/clock.h"
#include "objstore/base/extent.h"
#include "objstore/base/guarded.h"

namespace objstore {

// Who has which inode open, and the barrier between opening one and erasing it. Threads: any;
// held_or_bar and lift_bars are the writer's.
class Holds final {
public:
    // Counts a hold. While the inode is barred waits: for the batch in flight, so for one commit at
    // most.
    void add(InodeId inode);
    // True: that was the last hold.
    bool remove(InodeId inode);
    bool held(InodeId inode) const;
    std::size_t count() const;  // of inodes held

    // Whether the inode is held. If not, new holds of it wait until lift_bars.
    bool held_or_bar(InodeId inode);
    // The batch is committed and in the caches, or dropped.
    void lift_bars();

private:
    // Not Guarded: `add` waits for it.
    mutable std::mutex mutex_;
    std::condition_variable lifted_;
    std::unordered_map<InodeId, std::size_t> counts_;
    std::unordered_set<InodeId> barred_;
};

// Directories that a mount or NFS used within the last 60 s. Bounded: when too many are, the ones
// used longest ago are forgotten early. Threads: any.
class RecentDirectories final {
public:
    explicit RecentDirectories(const Clock& clock) : clock_(clock) {}

    void touch(InodeId directory);
    bool used(InodeId directory) const;

    static constexpr std::chrono::seconds kKept{60};

private:
    static constexpr std::size_t kShards = 16;
    static constexpr std::size_t kShardMax = 4096;  // in each of two maps

    using Times = std::unordered_map<InodeId, std::chrono::nanoseconds>;
    struct Shard {
        Times current;
        Times previous;  // all used before the oldest of `current` was made
        std::chrono::nanoseconds began{};
    };
    Guarded<Shard>& shard_of(InodeId directory) { return shards_.at(directory % kShards); }
    const Guarded<Shard>& shard_of(InodeId directory) const {
        return shards_.at(directory % kShards);
    }

    const Clock& clock_;
    std::array<Guarded<Shard>, kShards> shards_;
};

}  // namespace objstore
