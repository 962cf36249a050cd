#include "nfs/rpc/memory_budget.h"

#include <doctest/doctest.h>

using namespace nfs;

TEST_CASE("one address gets no more than its share, all together no more than there is") {
    MemoryBudget budget({.bytes_max = 100, .peer_bytes_max = 60});
    const PeerAddress greedy{std::byte{1}};
    const PeerAddress other{std::byte{2}};
    CHECK(budget.try_take(greedy, 60));
    CHECK_FALSE(budget.try_take(greedy, 1));
    CHECK(budget.try_take(other, 40));
    CHECK_FALSE(budget.try_take(other, 1));
    CHECK(budget.is_scarce());
    budget.give_back(greedy, 60);
    CHECK_FALSE(budget.is_scarce());
    CHECK(budget.try_take(other, 20));
    budget.give_back(other, 60);
    CHECK(budget.taken() == 0);
}
