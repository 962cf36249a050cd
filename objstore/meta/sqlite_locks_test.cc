#include "objstore/meta/sqlite_locks.h"

#include <algorithm>

#include <doctest/doctest.h>

namespace objstore {

using Level = SqliteLockLevel;

TEST_CASE("many connections share a database, one of them may prepare to write") {
    SqliteLocks locks;
    SqliteLocks::Holder a;
    SqliteLocks::Holder b;
    CHECK(locks.lock(a, Level::shared));
    CHECK(locks.lock(b, Level::shared));
    CHECK(!locks.is_reserved());
    CHECK(locks.lock(a, Level::reserved));
    CHECK(locks.is_reserved());
    CHECK(!locks.lock(b, Level::reserved));
    CHECK(b.level == Level::shared);
}

TEST_CASE("a connection becomes exclusive only when all others have left, and none may come") {
    SqliteLocks locks;
    SqliteLocks::Holder a;
    SqliteLocks::Holder b;
    SqliteLocks::Holder c;
    REQUIRE(locks.lock(a, Level::shared));
    REQUIRE(locks.lock(b, Level::shared));
    CHECK(!locks.lock(a, Level::exclusive));
    CHECK(a.level == Level::pending);
    CHECK(!locks.lock(c, Level::shared));
    CHECK(!locks.lock(b, Level::exclusive));
    locks.unlock(b, Level::none);
    CHECK(locks.lock(a, Level::exclusive));
    CHECK(!locks.lock(c, Level::shared));
    locks.unlock(a, Level::shared);
    CHECK(locks.lock(c, Level::shared));
    locks.unlock(a, Level::none);
    CHECK(locks.lock(c, Level::exclusive));
}

TEST_CASE("unlocking to a level that is not held does nothing") {
    SqliteLocks locks;
    SqliteLocks::Holder a;
    locks.unlock(a, Level::none);
    REQUIRE(locks.lock(a, Level::shared));
    locks.unlock(a, Level::shared);
    CHECK(a.level == Level::shared);
    locks.unlock(a, Level::none);
    CHECK(a.level == Level::none);
}

TEST_CASE("slots of the shared memory are shared or exclusive") {
    SqliteLocks locks;
    SqliteLocks::Holder a;
    SqliteLocks::Holder b;
    CHECK(locks.lock_shared(a, {3, 1}));
    CHECK(locks.lock_shared(a, {3, 1}));
    CHECK(locks.lock_shared(b, {3, 1}));
    CHECK(!locks.lock_exclusive(b, {3, 1}));
    locks.unlock_slots(a, {3, 1});
    locks.unlock_slots(b, {3, 1});
    CHECK(locks.lock_exclusive(b, {3, 1}));
    CHECK(!locks.lock_shared(a, {3, 1}));
    CHECK(!locks.lock_exclusive(a, {3, 1}));
}

TEST_CASE("a range of slots is taken whole or not at all") {
    SqliteLocks locks;
    SqliteLocks::Holder a;
    SqliteLocks::Holder b;
    REQUIRE(locks.lock_shared(a, {7, 1}));
    CHECK(!locks.lock_exclusive(b, {4, 4}));
    CHECK(locks.lock_exclusive(a, {4, 3}));
    locks.unlock_slots(a, {0, 8});
    CHECK(locks.lock_exclusive(b, {0, 8}));
}

TEST_CASE("shared memory is one for all, made of zeros, and ends with the last connection") {
    SqliteLocks locks;
    SqliteLocks::Holder a;
    SqliteLocks::Holder b;
    constexpr std::size_t kRegion = 32768;
    CHECK(locks.map(a, 0, kRegion, false) == nullptr);
    std::byte* first = locks.map(a, 1, kRegion, true);
    REQUIRE(first != nullptr);
    CHECK(std::all_of(first, first + kRegion, [](std::byte x) { return x == std::byte{0}; }));
    *first = std::byte{7};
    CHECK(locks.map(b, 1, kRegion, false) == first);
    locks.unmap(a);
    CHECK(locks.map(b, 1, kRegion, false) == first);
    locks.unmap(b);
    CHECK(locks.map(a, 1, kRegion, false) == nullptr);
    CHECK(*locks.map(a, 1, kRegion, true) == std::byte{0});
    locks.unmap(a);
}

TEST_CASE("unmapping gives back the slots that a connection holds, and no others") {
    SqliteLocks locks;
    SqliteLocks::Holder a;
    SqliteLocks::Holder b;
    REQUIRE(locks.map(a, 0, 32768, true) != nullptr);
    REQUIRE(locks.map(b, 0, 32768, true) != nullptr);
    REQUIRE(locks.lock_exclusive(a, {0, 2}));
    REQUIRE(locks.lock_shared(a, {5, 1}));
    REQUIRE(locks.lock_shared(b, {5, 1}));
    locks.unmap(a);
    CHECK(locks.lock_exclusive(b, {0, 2}));
    SqliteLocks::Holder c;
    CHECK(!locks.lock_exclusive(c, {5, 1}));
    locks.unmap(b);
    CHECK(locks.lock_exclusive(c, {5, 1}));
}

TEST_CASE("shared memory that was given up is gone when all have unmapped") {
    SqliteLocks locks;
    SqliteLocks::Holder a;
    SqliteLocks::Holder b;
    locks.invalidate();
    CHECK(!locks.is_invalid());
    REQUIRE(locks.map(a, 0, 32768, true) != nullptr);
    REQUIRE(locks.map(b, 0, 32768, true) != nullptr);
    locks.invalidate();
    CHECK(locks.is_invalid());
    locks.unmap(a);
    CHECK(locks.is_invalid());
    locks.unmap(b);
    CHECK(!locks.is_invalid());
}

}  // namespace objstore
