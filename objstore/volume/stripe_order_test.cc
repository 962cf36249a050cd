#include "objstore/volume/stripe_order.h"

#include <doctest/doctest.h>

#include "objstore/volume/volume_fixture.h"
#include "tests/sim/sim_clock.h"

namespace objstore {

namespace {

struct Fixture {
    tests::SimWorld world{1};
    tests::FakeCatalog catalog{world};
    tests::SimClock clock;

    std::uint64_t now() const { return static_cast<std::uint64_t>(clock.now() / 1000); }
};

}  // namespace

TEST_CASE("stripes are numbered by the clock, and go on when it stands or goes back") {
    Fixture fixture;
    StripeOrder order(fixture.clock, fixture.catalog, 0);
    const std::uint64_t now = fixture.now();
    CHECK(order.next().value() == now);
    CHECK(order.next().value() == now + 1);
    fixture.clock.advance(std::chrono::seconds(1));
    CHECK(order.next().value() == now + 1'000'000);
    fixture.clock.set_now(fixture.clock.now() - 5'000'000'000);
    CHECK(order.next().value() == now + 1'000'001);
}

TEST_CASE("numbers go on above those of a run that crashed, though the clock was set back") {
    Fixture fixture;
    std::uint64_t last = 0;
    for (int run = 0; run < 3; ++run) {
        StripeOrder order(fixture.clock, fixture.catalog, fixture.catalog.order());
        for (int i = 0; i < 3; ++i) {
            const std::uint64_t number = order.next().value();
            CHECK(number > last);
            CHECK(number <= fixture.catalog.order());
            last = number;
            fixture.clock.advance(std::chrono::minutes(i * 20));
        }
        fixture.clock.set_now(fixture.clock.now() - 86'400'000'000'000);
    }
}

TEST_CASE("after a stop the numbers go on from the last") {
    Fixture fixture;
    std::uint64_t last = 0;
    {
        StripeOrder order(fixture.clock, fixture.catalog, 0);
        last = order.next().value();
        CHECK(order.stop().ok());
        CHECK(order.stop().ok());
    }
    CHECK(fixture.catalog.order() == last);
    StripeOrder order(fixture.clock, fixture.catalog, fixture.catalog.order());
    CHECK(order.next().value() == last + 1);
}

TEST_CASE("without a catalog to note it in there is no number that is not reserved") {
    Fixture fixture;
    StripeOrder order(fixture.clock, fixture.catalog, 0);
    REQUIRE(order.next().ok());
    fixture.catalog.set_fails(true);
    CHECK(order.next().ok());
    fixture.clock.advance(std::chrono::minutes(11));
    CHECK(order.next().code() == Code::io_error);
    fixture.catalog.set_fails(false);
    CHECK(order.next().ok());
}

}  // namespace objstore
