#include "objstore/mirror/lane.h"

#include <latch>

#include <doctest/doctest.h>

namespace objstore {

TEST_CASE("a lane runs its jobs in order, and all of them before it ends") {
    std::vector<int> ran;
    {
        Lane lane("test");
        for (int i = 0; i < 100; ++i) {
            lane.post([&ran, i] { ran.push_back(i); });
        }
    }
    REQUIRE(ran.size() == 100);
    CHECK(std::ranges::is_sorted(ran));
}

TEST_CASE("who does not answer is late once another has answered well, and not before") {
    using std::chrono::milliseconds;
    const auto answers = std::make_shared<Answers>(2);
    std::latch go(1);
    std::thread slow([&] {
        go.wait();
        answers->give(0, Status());
    });
    answers->give(1, Status());
    const auto early = answers->wait(milliseconds(20));
    CHECK(early[0].code() == Code::timed_out);
    CHECK(early[1].ok());
    go.count_down();
    slow.join();
    CHECK(answers->wait(milliseconds(20))[0].ok());

    // All others have failed: it is waited for, however long it takes.
    const auto last = std::make_shared<Answers>(2);
    last->give(1, Status::io_error("gone"));
    std::latch waiting(1);
    std::vector<Status> both;
    std::thread waits([&] {
        waiting.count_down();
        both = last->wait(milliseconds(1));
    });
    waiting.wait();
    last->give(0, Status());
    waits.join();
    CHECK(both[0].ok());
    CHECK(both[1].code() == Code::io_error);
}

}  // namespace objstore
