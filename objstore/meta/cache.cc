#include "objstore/meta/cache.h"

#include "objstore/base/mix.h"

namespace objstore {

namespace {

constexpr auto kPublishWaitMax = std::chrono::seconds(10);

std::size_t heap_bytes(const std::string& text) {
    constexpr std::size_t kInside = 15;
    return text.capacity() > kInside ? text.capacity() : 0;
}

}  // namespace

bool operator==(const EntryKey& a, const EntryKey& b) {
    return a.parent == b.parent && a.name == b.name;
}
bool operator==(const EntryRef& a, const EntryKey& b) {
    return a.parent == b.parent && a.name == b.name;
}
bool operator==(const EntryKey& a, const EntryRef& b) {
    return b == a;
}

std::size_t CacheHash::operator()(InodeId id) const {
    // They are consecutive: without mixing they would fill one shard after another.
    return mix(id + 0x9e3779b97f4a7c15);
}

std::size_t CacheHash::operator()(const EntryRef& key) const {
    return mix(std::hash<std::string_view>()(key.name) ^ mix(key.parent));
}

CachedEntry CachedEntry::of(const Entry& entry) {
    return {entry.inode, entry.type, entry.cookie, entry.last_modified};
}

Entry CachedEntry::entry(const EntryRef& key) const {
    return {key.parent, std::string(key.name), inode, type, cookie, last_modified};
}

std::size_t cost(InodeId id, const InodePtr& inode) {
    (void)id;
    constexpr std::size_t kSharedPtrBytes = 32;
    std::size_t bytes = sizeof(Inode) + kSharedPtrBytes + heap_bytes(inode->name) +
                        heap_bytes(inode->target) + inode->extents.capacity() * sizeof(Extent) +
                        inode->headers.capacity() * sizeof(HeaderList::value_type) +
                        inode->checksums.capacity() * sizeof(StoredChecksum);
    for (const auto& [name, value] : inode->headers) bytes += heap_bytes(name) + heap_bytes(value);
    for (const StoredChecksum& checksum : inode->checksums) bytes += heap_bytes(checksum.value);
    return bytes;
}

std::size_t cost(InodeId id, const ExtentTablePtr& table) {
    const std::size_t inode_bytes = table->inode == nullptr ? 0 : cost(id, table->inode);
    return sizeof(ExtentTable) + inode_bytes + table->extents.capacity() * sizeof(Extent);
}

std::size_t cost(const EntryKey& key, const CachedEntry& entry) {
    (void)entry;
    return heap_bytes(key.name);
}

void Published::set(std::uint64_t sequence) {
    sequence_.store(sequence);
    // Sequentially consistent with the waiter's increment and load: one of the two sees the other.
    if (waiting_.load() == 0) return;
    const std::lock_guard lock(mutex_);
    moved_.notify_all();
}

bool Published::wait_for(std::uint64_t sequence) {
    if (sequence_.load() >= sequence) return true;
    std::unique_lock lock(mutex_);
    ++waiting_;
    const bool reached =
        moved_.wait_for(lock, kPublishWaitMax, [&] { return sequence_.load() >= sequence; });
    --waiting_;
    return reached;
}

}  // namespace objstore
