#include "cmd/ashlar/stop_limit.h"

#include <future>
#include <string>

#include <doctest/doctest.h>

namespace cmd {
namespace {

TEST_CASE("what does not end in time is told") {
    std::promise<std::string> over;
    StopLimit limit([&](const char* at) { over.set_value(at); });
    limit.now_at("a disk");
    limit.start(std::chrono::milliseconds(1));
    auto told = over.get_future();
    REQUIRE(told.wait_for(std::chrono::minutes(1)) == std::future_status::ready);
    CHECK(told.get() == "a disk");
}

TEST_CASE("what ends in time, or was never started, is not") {
    bool over = false;
    {
        StopLimit limit([&](const char*) { over = true; });
        limit.start(std::chrono::hours(1));
    }
    {
        const StopLimit never([&](const char*) { over = true; });
    }
    CHECK_FALSE(over);
}

}  // namespace
}  // namespace cmd
