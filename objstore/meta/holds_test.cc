#include "objstore/meta/holds.h"

#include <doctest/doctest.h>

#include "tests/sim/sim_clock.h"

namespace objstore {

TEST_CASE("an inode is held until every hold is given back") {
    Holds holds;
    CHECK_FALSE(holds.held(5));
    holds.add(5);
    holds.add(5);
    CHECK(holds.held_or_bar(5));
    CHECK_FALSE(holds.remove(5));
    CHECK(holds.held(5));
    CHECK(holds.remove(5));
    CHECK_FALSE(holds.held(5));
    CHECK(holds.count() == 0);
}

TEST_CASE("a directory counts as used for 60 s") {
    tests::SimClock clock;
    RecentDirectories recent(clock);
    CHECK_FALSE(recent.used(1));
    recent.touch(1);
    clock.advance(std::chrono::seconds(59));
    CHECK(recent.used(1));
    recent.touch(2);
    clock.advance(std::chrono::seconds(1));
    CHECK_FALSE(recent.used(1));
    CHECK(recent.used(2));
    recent.touch(1);
    clock.advance(std::chrono::seconds(59));
    recent.touch(3);
    CHECK(recent.used(1));
    CHECK_FALSE(recent.used(2));
}

TEST_CASE("when too many directories are in use the ones used longest ago are forgotten") {
    tests::SimClock clock;
    RecentDirectories recent(clock);
    for (InodeId id = 0; id < 1'000'000; ++id) recent.touch(id);
    CHECK(recent.used(999'999));
    CHECK_FALSE(recent.used(0));
}

}  // namespace objstore
