#include "fs/vfs/lock_table.h"

#include <random>

#include <doctest/doctest.h>

namespace fs {
namespace {

using objstore::Code;

Lock range(std::uint64_t owner, LockType type, std::uint64_t first, std::uint64_t last) {
    Lock lock;
    lock.inode = 7;
    lock.type = type;
    lock.first = first;
    lock.last = last;
    lock.owner.id = owner;
    lock.handle = owner;
    return lock;
}
Lock whole(std::uint64_t owner, LockType type) {
    Lock lock = range(owner, type, 0, ~std::uint64_t{0});
    lock.kind = LockKind::whole;
    return lock;
}

TEST_CASE("shared locks go together, an exclusive one stands alone") {
    LockTable table;
    CHECK(table.set(range(1, LockType::shared, 0, 9)).ok());
    CHECK(table.set(range(2, LockType::shared, 5, 14)).ok());
    CHECK(table.set(range(3, LockType::exclusive, 9, 9)).code() == Code::conflict);
    CHECK(table.set(range(3, LockType::exclusive, 15, 20)).ok());
    const auto in_the_way = table.test(range(3, LockType::exclusive, 0, 99));
    REQUIRE(in_the_way.has_value());
    CHECK(in_the_way->owner.id == 1);
}

TEST_CASE("range locks and whole-file locks never meet") {
    LockTable table;
    CHECK(table.set(range(1, LockType::exclusive, 0, 99)).ok());
    CHECK(table.set(whole(2, LockType::exclusive)).ok());
}

TEST_CASE("unlocking the middle of a range leaves both sides locked") {
    LockTable table;
    REQUIRE(table.set(range(1, LockType::exclusive, 0, 99)).ok());
    REQUIRE(table.set(range(1, LockType::unlock, 40, 59)).ok());
    CHECK(table.lock_count() == 2);
    CHECK(table.set(range(2, LockType::shared, 40, 59)).ok());
    CHECK(table.set(range(2, LockType::shared, 39, 39)).code() == Code::conflict);
    CHECK(table.set(range(2, LockType::shared, 60, 60)).code() == Code::conflict);
}

TEST_CASE("neighbours of one type become one lock") {
    LockTable table;
    REQUIRE(table.set(range(1, LockType::shared, 0, 9)).ok());
    REQUIRE(table.set(range(1, LockType::shared, 20, 29)).ok());
    REQUIRE(table.set(range(1, LockType::shared, 10, 19)).ok());
    CHECK(table.lock_count() == 1);
}

TEST_CASE("a wait is granted by the unlock, in order of asking, and once") {
    LockTable table;
    REQUIRE(table.set(range(1, LockType::exclusive, 0, 9)).ok());
    std::vector<int> order;
    REQUIRE(*table.wait(range(2, LockType::exclusive, 0, 9), [&] { order.push_back(2); }) != 0);
    REQUIRE(*table.wait(range(3, LockType::exclusive, 5, 9), [&] { order.push_back(3); }) != 0);
    REQUIRE(table.set(range(1, LockType::unlock, 0, 9)).ok());
    CHECK(order == std::vector<int>{2});
    table.release_owner(7, range(2, LockType::exclusive, 0, 0).owner, LockKind::range);
    CHECK(order == std::vector<int>{2, 3});
}

TEST_CASE("a wait that was cancelled is never granted") {
    LockTable table;
    REQUIRE(table.set(whole(1, LockType::exclusive)).ok());
    bool granted = false;
    const auto wait = table.wait(whole(2, LockType::shared), [&] { granted = true; });
    REQUIRE(wait.ok());
    CHECK(table.cancel(*wait));
    CHECK_FALSE(table.cancel(*wait));
    table.release_handle(7, 1);
    CHECK_FALSE(granted);
    CHECK(table.lock_count() == 0);
}

TEST_CASE("two holders of a shared flock who both want it alone do not keep each other out") {
    LockTable table;
    REQUIRE(table.set(whole(1, LockType::shared)).ok());
    REQUIRE(table.set(whole(2, LockType::shared)).ok());
    bool first_has_it = false;
    // Whoever waits has given up what he held, so the other gets it.
    const auto first = table.wait(whole(1, LockType::exclusive), [&] { first_has_it = true; });
    CHECK(first.value() != 0);
    CHECK(table.wait(whole(2, LockType::exclusive), [] {}).value() == 0);
    CHECK_FALSE(first_has_it);
    table.release_handle(7, 2);
    CHECK(first_has_it);
}

TEST_CASE("the release of a handle drops the locks taken through it and no others") {
    LockTable table;
    Lock other = range(1, LockType::exclusive, 50, 59);
    other.handle = 99;
    REQUIRE(table.set(range(1, LockType::exclusive, 0, 9)).ok());
    REQUIRE(table.set(other).ok());
    table.release_handle(7, 1);
    CHECK(table.set(range(2, LockType::exclusive, 0, 9)).ok());
    CHECK(table.set(range(2, LockType::exclusive, 50, 50)).code() == Code::conflict);
}

TEST_CASE("locks and waits are bounded") {
    LockTable table({.locks_max = 4, .waits_max = 1});
    REQUIRE(table.set(range(1, LockType::exclusive, 0, 0)).ok());
    REQUIRE(table.wait(range(2, LockType::exclusive, 0, 0), [] {}).ok());
    CHECK(table.wait(range(3, LockType::exclusive, 0, 0), [] {}).code() == Code::no_space);
    REQUIRE(table.set(range(1, LockType::exclusive, 10, 10)).ok());
    REQUIRE(table.set(range(1, LockType::exclusive, 20, 20)).ok());
    CHECK(table.set(range(1, LockType::exclusive, 30, 30)).code() == Code::no_space);
}

TEST_CASE("random range locks agree with a lock for each byte") {
    constexpr std::uint64_t kBytes = 24;
    constexpr std::uint64_t kOwners = 3;
    std::mt19937 random(11);
    LockTable table;
    LockType model[kOwners][kBytes] = {};  // unlock
    for (int step = 0; step < 5000; ++step) {
        const std::uint64_t owner = random() % kOwners;
        const std::uint64_t first = random() % kBytes;
        const std::uint64_t last = first + random() % (kBytes - first);
        const auto type = static_cast<LockType>(random() % 3);
        bool conflict = false;
        for (std::uint64_t other = 0; other < kOwners; ++other) {
            for (std::uint64_t b = first; b <= last && other != owner; ++b) {
                const LockType held = model[other][b];
                conflict |= type != LockType::unlock && held != LockType::unlock &&
                            (type == LockType::exclusive || held == LockType::exclusive);
            }
        }
        Lock lock = range(owner, type, first, last);
        lock.handle = 1;
        REQUIRE(table.set(lock).ok() == !conflict);
        if (conflict) continue;
        std::fill(&model[owner][first], &model[owner][last] + 1, type);
    }
}

}  // namespace
}  // namespace fs
