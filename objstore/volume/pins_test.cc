#include <doctest/doctest.h>

#include "objstore/volume/volume_store.h"

using namespace objstore;

TEST_CASE("an epoch is gone when no pin of it or an older one is held") {
    Pins pins;
    CHECK(pins.gone(100));
    Pins::Pin first = pins.acquire();
    const std::uint64_t one = pins.advance();
    CHECK_FALSE(pins.gone(one));
    Pins::Pin second = pins.acquire();
    const std::uint64_t two = pins.advance();
    CHECK(two == one + 1);
    first = Pins::Pin();
    CHECK(pins.gone(one));
    CHECK_FALSE(pins.gone(two));
    second = Pins::Pin();
    CHECK(pins.gone(two));
}

TEST_CASE("a later pin does not hold an earlier epoch") {
    Pins pins;
    const std::uint64_t old = pins.advance();
    const Pins::Pin pin = pins.acquire();
    CHECK(pins.gone(old));
    CHECK_FALSE(pins.gone(old + 1));
}

TEST_CASE("a moved pin is held once") {
    Pins pins;
    Pins::Pin a = pins.acquire();
    Pins::Pin b = std::move(a);
    const std::uint64_t epoch = pins.advance();
    a = pins.acquire();
    CHECK_FALSE(pins.gone(epoch));
    b = std::move(a);
    CHECK(pins.gone(epoch));
}
