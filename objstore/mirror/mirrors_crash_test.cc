// Power is cut, or an operation fails, at each place in turn; then as many disks as may be are lost
// too. What was acknowledged is there.
#include <functional>

#include "objstore/mirror/mirror_fixture.h"

namespace objstore {

using tests::MirrorFixture;
using tests::SimFailure;
using tests::SimFault;
using tests::SimOperation;

namespace {

constexpr int kBefore = 4;

// Runs `work`, which counts what was acknowledged, with power cut after 0, 1, 2 … operations.
// `lose`: so many disks are emptied before the next start.
struct CrashLoop {
    MirrorFixture::Shape shape;
    std::size_t lose = 0;
    std::function<void(MirrorFixture&)> before = {};
    std::function<void(MirrorFixture&, int& acknowledged)> work = {};

    void run() const {
        bool cut = true;
        for (std::uint64_t crash_at = 0; cut; ++crash_at) {
            CAPTURE(crash_at);
            MirrorFixture fixture(shape, tests::test_seed(crash_at + 1));
            fixture.store_options.writer.checkpoint_pages = 20;
            int acknowledged = 0;
            if (before) before(fixture);
            while (before && fixture.has(acknowledged)) ++acknowledged;
            fixture.world.cut_power_after(crash_at);
            work(fixture, acknowledged);
            cut = fixture.world.power_was_cut();
            fixture.close();
            fixture.world.power_cycle();
            check(fixture, acknowledged, crash_at);
        }
    }

    void check(MirrorFixture& fixture, int acknowledged, std::uint64_t crash_at) const {
        tests::SimRandom random(crash_at);
        std::uint64_t here = ~std::uint64_t{0};
        for (std::size_t i = 0; i < lose; ++i) {
            const std::uint64_t lost = random.below(shape.disks);
            here &= ~(std::uint64_t{1} << lost);
            if (acknowledged > 0) fixture.disk(lost).replace();
        }
        // Before anything was acknowledged, a start may want all disks.
        const Status opened = fixture.open(acknowledged > 0 ? here : ~std::uint64_t{0});
        CAPTURE(opened.message());
        REQUIRE(opened.ok());
        for (int i = 0; i < acknowledged; ++i) {
            CAPTURE(i);
            REQUIRE(fixture.has(i));
        }
        // One more may have happened, none after it.
        REQUIRE_FALSE(fixture.has(acknowledged + 1));
        REQUIRE(fixture.set(1000).ok());
        REQUIRE(fixture.has(1000));
    }
};

void open_and_set(MirrorFixture& fixture, int count) {
    REQUIRE(fixture.open().ok());
    for (int i = 0; i < count; ++i) REQUIRE(fixture.set(i).ok());
}

void set_some(MirrorFixture& fixture, int count, int& acknowledged) {
    for (int i = 0; i < count; ++i) {
        if (!fixture.set(acknowledged).ok()) return;
        ++acknowledged;
    }
}

}  // namespace

TEST_CASE("the first start of all is cut at each operation") {
    const CrashLoop loop{
        .shape = {3, 1}, .lose = 1, .work = [](MirrorFixture& fixture, int& acknowledged) {
            if (fixture.open().ok()) set_some(fixture, 3, acknowledged);
        }};
    loop.run();
}

TEST_CASE("commits and checkpoints are cut at each operation, and disks are lost with it") {
    const CrashLoop loop{.shape = {5, 2},
                         .lose = 2,
                         .before = [](MirrorFixture& fixture) { open_and_set(fixture, kBefore); },
                         .work = [](MirrorFixture& fixture,
                                    int& acknowledged) { set_some(fixture, 12, acknowledged); }};
    loop.run();
}

TEST_CASE(
    "a start is cut at each operation, also one without a disk, and the next one loses "
    "another") {
    for (const std::uint64_t here : {~std::uint64_t{0}, std::uint64_t{0b1110}}) {
        CAPTURE(here);
        const CrashLoop loop{.shape = {4, 2},
                             .lose = 1,
                             .before =
                                 [](MirrorFixture& fixture) {
                                     open_and_set(fixture, 6);
                                     fixture.world.cut_power();
                                     fixture.close();
                                     fixture.world.power_cycle();
                                     REQUIRE(fixture.open().ok());
                                     for (int i = 0; i < 6; ++i) REQUIRE(fixture.has(i));
                                 },
                             .work =
                                 [here](MirrorFixture& fixture, int& acknowledged) {
                                     fixture.close();
                                     if (fixture.open(here).ok()) {
                                         set_some(fixture, 2, acknowledged);
                                     }
                                 }};
        loop.run();
    }
}

TEST_CASE("a mirror is lost and another filled, with power cut at each operation") {
    // The one disk that may be lost is the first.
    const CrashLoop loop{.shape = {4, 1},
                         .before = [](MirrorFixture& fixture) { open_and_set(fixture, kBefore); },
                         .work =
                             [](MirrorFixture& fixture, int& acknowledged) {
                                 fixture.disk(0).set_dead(true);
                                 set_some(fixture, 3, acknowledged);
                                 fixture.await([&] {
                                     return fixture.world.power_was_cut() ||
                                            fixture.members() == std::vector<std::size_t>{1, 2};
                                 });
                                 set_some(fixture, 3, acknowledged);
                                 fixture.disk(0).set_dead(false);
                             }};
    loop.run();
}

TEST_CASE("any operation of one mirror fails, and no client hears of it") {
    for (const SimOperation operation : {SimOperation::write, SimOperation::sync}) {
        for (const SimFailure failure :
             {SimFailure::io_error, SimFailure::no_space, SimFailure::short_write}) {
            if (operation == SimOperation::sync && failure != SimFailure::io_error) continue;
            bool hit = true;
            for (std::uint64_t after = 0; hit; ++after) {
                CAPTURE(static_cast<int>(operation));
                CAPTURE(static_cast<int>(failure));
                CAPTURE(after);
                MirrorFixture fixture({4, 1}, tests::test_seed(after + 1));
                fixture.store_options.writer.checkpoint_pages = 20;
                open_and_set(fixture, kBefore);
                fixture.disk(0).fail({.operation = operation,
                                      .failure = failure,
                                      .after = after,
                                      .path = "namespace"});
                for (int i = kBefore; i < 16; ++i) REQUIRE(fixture.set(i).ok());
                hit = fixture.logged.str().find("the mirror on d0") != std::string::npos;
                fixture.await_members(2);
                REQUIRE((hit || after > 0));
                for (int i = 0; i < 16; ++i) REQUIRE(fixture.has(i));
                fixture.disk(0).clear_faults();
                fixture.close();
                // The one that never failed is lost now.
                fixture.disk(1).replace();
                REQUIRE(fixture.open(0b1101).ok());
                for (int i = 0; i < 16; ++i) REQUIRE(fixture.has(i));
            }
        }
    }
}

}  // namespace objstore
