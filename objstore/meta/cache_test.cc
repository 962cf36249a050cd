#include "objstore/meta/cache.h"

#include <doctest/doctest.h>

namespace objstore {

namespace {

InodePtr inode_of_size(std::uint64_t size) {
    Inode inode;
    inode.size = size;
    return std::make_shared<const Inode>(std::move(inode));
}

std::optional<std::uint64_t> size_in(Caches& caches, InodeId id) {
    const auto found = caches.inodes.find(id).value;
    return found ? std::optional((*found)->size) : std::nullopt;
}

}  // namespace

TEST_CASE("a fill from before a commit to its shard is dropped") {
    Caches caches(kMiB);
    caches.inodes.put(1, inode_of_size(10), 5);
    caches.inodes.erase(1, 6);
    caches.inodes.fill(1, inode_of_size(9), 5);
    CHECK(size_in(caches, 1) == std::nullopt);
    caches.inodes.fill(1, inode_of_size(11), 6);
    CHECK(size_in(caches, 1) == 11);
    caches.inodes.put(1, inode_of_size(12), 7);
    caches.inodes.fill(1, inode_of_size(11), 6);
    CHECK(size_in(caches, 1) == 12);
}

TEST_CASE("what is found comes with the commit that touched its shard last") {
    Caches caches(kMiB);
    CHECK(caches.inodes.find(1).sequence == 0);
    caches.inodes.put(1, inode_of_size(1), 41);
    CHECK(caches.inodes.find(1).sequence == 41);
    caches.inodes.erase(1, 42);
    CHECK(caches.inodes.find(1).sequence == 42);
}

TEST_CASE("a cache forgets what was used least recently and keeps to its bytes") {
    constexpr std::size_t kBytes = 512 * kKiB;
    Caches caches(kBytes);
    caches.inodes.put(0, inode_of_size(7), 1);
    for (InodeId id = 1; id < 20'000; ++id) {
        caches.inodes.put(id, inode_of_size(id), 1);
        REQUIRE(size_in(caches, 0) == 7);  // and so it is in use
    }
    CHECK(caches.inodes.bytes() <= kBytes);
    CHECK(caches.inodes.bytes() > kBytes / 3);
    CHECK(size_in(caches, 1) == std::nullopt);
    CHECK(size_in(caches, 19'999) == 19'999);
}

TEST_CASE("an absent name is remembered as absent until it is made") {
    Caches caches(kMiB);
    const EntryRef key{7, "name"};
    CHECK_FALSE(caches.entries.find(key).value.has_value());
    caches.entries.fill(EntryKey{7, "name"}, CachedEntry{}, 0);
    REQUIRE(caches.entries.find(key).value.has_value());
    CHECK(caches.entries.find(key).value->inode == 0);
    caches.entries.put(EntryKey{7, "name"}, CachedEntry{12, FileType::fifo, 3, 4}, 1);
    const Entry entry = caches.entries.find(key).value->entry(key);
    CHECK(entry == Entry{7, "name", 12, FileType::fifo, 3, 4});
    CHECK_FALSE(caches.entries.find(EntryRef{8, "name"}).value.has_value());
}

TEST_CASE("a cleared cache takes no fill from before") {
    Caches caches(kMiB);
    caches.inodes.put(1, inode_of_size(1), 3);
    caches.inodes.clear(9);
    CHECK(caches.inodes.bytes() == 0);
    caches.inodes.fill(1, inode_of_size(1), 8);
    CHECK(size_in(caches, 1) == std::nullopt);
    caches.inodes.fill(1, inode_of_size(1), 9);
    CHECK(size_in(caches, 1) == 1);
}

}  // namespace objstore
