#include "objstore/meta/holds.h"

#include "objstore/base/assert.h"

namespace objstore {

void Holds::add(InodeId inode) {
    std::unique_lock lock(mutex_);
    lifted_.wait(lock, [&] { return !barred_.contains(inode); });
    ++counts_[inode];
}

bool Holds::remove(InodeId inode) {
    const std::lock_guard lock(mutex_);
    const auto it = counts_.find(inode);
    ASSERT(it != counts_.end());
    if (--it->second > 0) return false;
    counts_.erase(it);
    return true;
}

bool Holds::held(InodeId inode) const {
    const std::lock_guard lock(mutex_);
    return counts_.contains(inode);
}

std::size_t Holds::count() const {
    const std::lock_guard lock(mutex_);
    return counts_.size();
}

bool Holds::held_or_bar(InodeId inode) {
    const std::lock_guard lock(mutex_);
    if (counts_.contains(inode)) return true;
    barred_.insert(inode);
    return false;
}

void Holds::lift_bars() {
    {
        const std::lock_guard lock(mutex_);
        if (barred_.empty()) return;
        barred_.clear();
    }
    lifted_.notify_all();
}

void RecentDirectories::touch(InodeId directory) {
    const std::chrono::nanoseconds now = clock_.steady();
    shard_of(directory).with([&](Shard& shard) {
        if (now - shard.began >= kKept || shard.current.size() >= kShardMax) {
            shard.previous = std::move(shard.current);
            shard.current.clear();
            shard.began = now;
        }
        shard.current[directory] = now;
    });
}

bool RecentDirectories::used(InodeId directory) const {
    const std::chrono::nanoseconds now = clock_.steady();
    return shard_of(directory).with([&](const Shard& shard) {
        for (const Times* times : {&shard.current, &shard.previous}) {
            const auto it = times->find(directory);
            if (it != times->end()) return now - it->second < kKept;
        }
        return false;
    });
}

}  // namespace objstore
