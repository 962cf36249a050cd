#include "nfs/rpc/reply_cache.h"

#include <doctest/doctest.h>

using namespace nfs;
using State = ReplyCache::State;

namespace {

class HandClock final : public objstore::Clock {
public:
    objstore::UnixNanos now() const override { return steady_.count(); }
    std::chrono::nanoseconds steady() const override { return steady_; }
    void advance(std::chrono::nanoseconds by) { steady_ += by; }

private:
    std::chrono::nanoseconds steady_{1'000'000};
};

PeerAddress address(int last) {
    PeerAddress peer{};
    peer[15] = static_cast<std::byte>(last);
    return peer;
}

struct Fixture {
    HandClock clock;
    ReplyCache cache{{.per_client_max = 4, .total_max = 8}, clock, {1, 2}};

    CallKey key(int peer, std::uint32_t xid, std::string_view args = "args") const {
        Call call;
        call.xid = xid;
        call.program = 100003;
        call.version = 3;
        call.procedure = 12;
        call.args = objstore::as_bytes(args);
        return cache.key_of(address(peer), call);
    }
    void complete(const CallKey& key, std::size_t reply_bytes = 8) {
        REQUIRE(cache.begin(key).state == State::fresh);
        cache.finish(key, std::vector<std::byte>(reply_bytes, std::byte{9}));
    }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "a call is carried out once, repeats wait and then get its reply") {
    const CallKey call = key(1, 7);
    CHECK(cache.begin(call).state == State::fresh);
    CHECK(cache.begin(call).state == State::in_progress);
    cache.finish(call, {std::byte{1}, std::byte{2}});
    const auto again = cache.begin(call);
    CHECK(again.state == State::done);
    CHECK(again.reply == std::vector<std::byte>{std::byte{1}, std::byte{2}});
}

TEST_CASE_FIXTURE(Fixture,
                  "another user's call is another call, and so is one that ends otherwise") {
    const std::string names(400, 'n');
    complete(key(1, 7, names + "old"));
    CHECK(cache.begin(key(1, 7, names + "new")).state == State::fresh);
    Call call;
    call.xid = 9;
    call.caller.is_sys = true;
    call.caller.uid = 4242;
    complete(cache.key_of(address(1), call));
    CHECK(cache.begin(cache.key_of(address(1), call)).state == State::done);
    call.caller.uid = 1001;
    CHECK(cache.begin(cache.key_of(address(1), call)).state == State::fresh);
    call.caller.group_count = 1;
    call.caller.group_list[0] = 5;
    CHECK(cache.begin(cache.key_of(address(1), call)).state == State::fresh);
}

TEST_CASE_FIXTURE(Fixture, "another client, id or argument is another call") {
    complete(key(1, 7));
    CHECK(cache.begin(key(2, 7)).state == State::fresh);
    CHECK(cache.begin(key(1, 8)).state == State::fresh);
    CHECK(cache.begin(key(1, 7, "other")).state == State::fresh);
}

TEST_CASE_FIXTURE(Fixture, "a forgotten call is carried out again") {
    CHECK(cache.begin(key(1, 7)).state == State::fresh);
    cache.forget(key(1, 7));
    CHECK(cache.begin(key(1, 7)).state == State::fresh);
}

TEST_CASE_FIXTURE(Fixture, "a client that calls much loses its own oldest replies only") {
    complete(key(1, 0));
    for (std::uint32_t xid = 0; xid < 20; ++xid) complete(key(2, xid));
    CHECK(cache.size() == 5);
    CHECK(cache.begin(key(1, 0)).state == State::done);
    CHECK(cache.begin(key(2, 19)).state == State::done);
    CHECK(cache.begin(key(2, 16)).state == State::done);
    CHECK(cache.begin(key(2, 15)).state == State::fresh);
}

TEST_CASE_FIXTURE(Fixture, "many clients together stay below the total") {
    for (int peer = 0; peer < 50; ++peer) complete(key(peer, 1));
    CHECK(cache.size() == 8);
    CHECK(cache.begin(key(49, 1)).state == State::done);
}

TEST_CASE_FIXTURE(Fixture, "calls in progress are never forgotten for others") {
    for (std::uint32_t xid = 0; xid < 4; ++xid)
        CHECK(cache.begin(key(1, xid)).state == State::fresh);
    CHECK(cache.begin(key(1, 4)).state == State::unkept);
    CHECK(cache.begin(key(1, 0)).state == State::in_progress);
    cache.finish(key(1, 2), {});
    CHECK(cache.begin(key(1, 4)).state == State::fresh);
    CHECK(cache.begin(key(1, 2)).state == State::unkept);  // evicted, and all others are at work
}

TEST_CASE_FIXTURE(Fixture, "replies are kept for two minutes") {
    complete(key(1, 7));
    clock.advance(std::chrono::seconds(119));
    CHECK(cache.begin(key(1, 7)).state == State::done);
    clock.advance(std::chrono::seconds(1));
    CHECK(cache.begin(key(1, 7)).state == State::fresh);
}

TEST_CASE_FIXTURE(Fixture, "a long reply is not kept") {
    complete(key(1, 7), 1025);
    CHECK(cache.size() == 0);
}
