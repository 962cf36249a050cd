#include "objstore/base/one_shot.h"

#include <memory>
#include <thread>

#include <doctest/doctest.h>

namespace objstore {
namespace {

TEST_CASE("whoever waits sees what was written before it was set") {
    for (int i = 0; i < 2000; ++i) {
        auto event = std::make_unique<OneShot>();
        int value = 0;
        std::thread setter([&value, event = event.get()] {
            value = 7;
            event->set();
        });
        event->wait();
        event.reset();  // at once: the setter must not need it any more
        CHECK(value == 7);
        setter.join();
    }
}

TEST_CASE("waiting for what was set before returns at once") {
    OneShot event;
    event.set();
    event.wait();
    CHECK_NOTHROW(event.wait());
}

}  // namespace
}  // namespace objstore
