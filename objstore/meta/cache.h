#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "objstore/meta/inode.h"

namespace objstore {

// A map that forgets what was used least recently, bounded in bytes. Every entry is as of the last
// commit that was put in: `put` and `erase` are the writer's and always hold, a reader's `fill` is
// dropped when a commit touched the shard after the reader's snapshot. Threads: any; each call
// takes one shard's lock for memory work. Value needs `cost(key, value)`, bytes.
template <typename Key, typename KeyRef, typename Value, typename Hash>
class ShardedCache final {
public:
    explicit ShardedCache(std::size_t bytes_max) : shard_bytes_max_(bytes_max / kShards) {}

    struct Found {
        std::optional<Value> value;
        std::uint64_t sequence = 0;  // of the last commit that touched the shard
    };
    Found find(const KeyRef& key) {
        Shard& shard = shard_of(key);
        const std::lock_guard lock(shard.mutex);
        const auto it = shard.map.find(key);
        if (it == shard.map.end()) return {std::nullopt, shard.sequence};
        shard.unlink(it->second);
        shard.link(it->second);
        return {it->second.value, shard.sequence};
    }
    void put(Key key, Value value, std::uint64_t sequence) {
        Shard& shard = shard_of(key);
        const std::lock_guard lock(shard.mutex);
        shard.sequence = sequence;
        shard.insert(std::move(key), std::move(value), shard_bytes_max_);
    }
    void erase(const KeyRef& key, std::uint64_t sequence) {
        Shard& shard = shard_of(key);
        const std::lock_guard lock(shard.mutex);
        shard.sequence = sequence;
        if (const auto it = shard.map.find(key); it != shard.map.end()) shard.erase(it);
    }
    // `sequence`: of the snapshot that `value` was read from.
    void fill(Key key, Value value, std::uint64_t sequence) {
        Shard& shard = shard_of(key);
        const std::lock_guard lock(shard.mutex);
        if (shard.sequence > sequence) return;
        shard.insert(std::move(key), std::move(value), shard_bytes_max_);
    }
    // Forgets all; later fills must be from `sequence` on.
    void clear(std::uint64_t sequence) {
        for (Shard& shard : shards_) {
            const std::lock_guard lock(shard.mutex);
            shard.map.clear();
            shard.newest = shard.oldest = nullptr;
            shard.bytes = 0;
            shard.sequence = sequence;
        }
    }
    std::size_t bytes() {
        std::size_t sum = 0;
        for (Shard& shard : shards_) {
            const std::lock_guard lock(shard.mutex);
            sum += shard.bytes;
        }
        return sum;
    }

private:
    static constexpr std::size_t kShards = 64;

    struct Node {
        Value value;
        std::size_t bytes = 0;
        const Key* key = nullptr;
        Node* newer = nullptr;
        Node* older = nullptr;
    };
    struct Shard {
        std::mutex mutex;
        std::unordered_map<Key, Node, Hash, std::equal_to<>> map;
        Node* newest = nullptr;
        Node* oldest = nullptr;
        std::size_t bytes = 0;
        std::uint64_t sequence = 0;

        void link(Node& node) {
            node.newer = nullptr;
            node.older = newest;
            (newest != nullptr ? newest->newer : oldest) = &node;
            newest = &node;
        }
        void unlink(Node& node) {
            (node.newer != nullptr ? node.newer->older : newest) = node.older;
            (node.older != nullptr ? node.older->newer : oldest) = node.newer;
        }
        void erase(typename decltype(map)::iterator it) {
            unlink(it->second);
            bytes -= it->second.bytes;
            map.erase(it);
        }
        void insert(Key&& key, Value&& value, std::size_t bytes_max) {
            const auto [it, fresh] = map.try_emplace(std::move(key));
            Node& node = it->second;
            if (!fresh) {
                unlink(node);
                bytes -= node.bytes;
            }
            node.key = &it->first;
            node.bytes = cost(it->first, value) + sizeof(*it);
            node.value = std::move(value);
            bytes += node.bytes;
            link(node);
            while (bytes > bytes_max && oldest != nullptr) erase(map.find(*oldest->key));
        }
    };

    template <typename K>
    Shard& shard_of(const K& key) {
        // The high bits: the map's buckets use the low ones.
        return shards_.at((Hash()(key) >> 32) % kShards);
    }

    const std::size_t shard_bytes_max_;
    std::array<Shard, kShards> shards_;
};

struct EntryRef {
    InodeId parent = 0;
    std::string_view name;
};
struct EntryKey {
    InodeId parent = 0;
    std::string name;
    operator EntryRef() const { return {parent, name}; }
};
bool operator==(const EntryKey& a, const EntryKey& b);
bool operator==(const EntryRef& a, const EntryKey& b);
bool operator==(const EntryKey& a, const EntryRef& b);

struct CacheHash {
    using is_transparent = void;
    std::size_t operator()(InodeId id) const;
    std::size_t operator()(const EntryRef& key) const;
    std::size_t operator()(const EntryKey& key) const { return (*this)(EntryRef(key)); }
};

// What an entry's name leads to; `inode` 0: known to be absent.
struct CachedEntry {
    InodeId inode = 0;
    FileType type = FileType::regular;
    std::uint64_t cookie = 0;
    UnixNanos last_modified = 0;

    static CachedEntry of(const Entry& entry);
    Entry entry(const EntryRef& key) const;
};

// What is known of the extents of an inode that has them in the table. They are read whole, and
// kept, only when they are asked for kAsksMin times between two changes.
struct ExtentTable {
    enum class State : std::uint8_t { asked_for, whole, unfit };  // unfit: too long, or some inline
    static constexpr std::uint8_t kAsksMin = 4;

    State state = State::asked_for;
    std::uint8_t asks = 1;
    InodePtr inode;  // of the same snapshot
    std::vector<Extent> extents;
};
using ExtentTablePtr = std::shared_ptr<const ExtentTable>;

std::size_t cost(InodeId id, const InodePtr& inode);
std::size_t cost(InodeId id, const ExtentTablePtr& table);
std::size_t cost(const EntryKey& key, const CachedEntry& entry);

// Inodes, names and long lists of extents as of the last commit.
struct Caches {
    explicit Caches(std::size_t bytes_max)
        : inodes(bytes_max / 8 * 5), entries(bytes_max / 4), tables(bytes_max / 8) {}
    // Forgets all; later fills must be from `sequence` on.
    void clear(std::uint64_t sequence) {
        inodes.clear(sequence);
        entries.clear(sequence);
        tables.clear(sequence);
    }

    ShardedCache<InodeId, InodeId, InodePtr, CacheHash> inodes;
    ShardedCache<EntryKey, EntryRef, CachedEntry, CacheHash> entries;
    ShardedCache<InodeId, InodeId, ExtentTablePtr, CacheHash> tables;
};

// The sequence of the last commit that is in the caches: in the database it may be later by
// moments. Threads: any.
class Published final {
public:
    std::uint64_t get() const { return sequence_.load(std::memory_order_acquire); }
    // The writer's.
    void set(std::uint64_t sequence);
    // Until `sequence` is published: who has seen a commit in the database returns only when no
    // cache can contradict it. False: not within some seconds.
    bool wait_for(std::uint64_t sequence);

private:
    std::atomic<std::uint64_t> sequence_{0};
    std::atomic<int> waiting_{0};
    std::mutex mutex_;
    std::condition_variable moved_;
};

}  // namespace objstore
