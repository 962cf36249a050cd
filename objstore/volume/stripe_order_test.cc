#include "objstore/volume/stripe_order.h"

#include <doctest/doctest.h>

#include "tests/sim/sim_clock.h"

namespace objstore {

TEST_CASE("stripes are numbered by the clock, and go on when it stands or goes back") {
    tests::SimClock clock;
    StripeOrder order(clock);
    const auto now = static_cast<std::uint64_t>(clock.now() / 1000);
    CHECK(order.next() == now);
    CHECK(order.next() == now + 1);
    clock.advance(std::chrono::seconds(1));
    CHECK(order.next() == now + 1'000'000);
    clock.set_now(clock.now() - 5'000'000'000);
    CHECK(order.next() == now + 1'000'001);
}

}  // namespace objstore
