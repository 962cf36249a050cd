#include "objstore/mirror/mirrors.h"

#include "objstore/mirror/mirror_fixture.h"

namespace objstore {

using tests::MirrorFixture;
using tests::SimDisk;
using tests::SimFailure;
using tests::SimFault;
using tests::SimOperation;

namespace {

constexpr std::uint64_t kAllDisks = ~std::uint64_t{0};

std::uint64_t without(std::size_t i) {
    return kAllDisks & ~(std::uint64_t{1} << i);
}

void open_with(MirrorFixture& fixture, int settings, std::uint64_t here = kAllDisks) {
    const Status opened = fixture.open(here);
    CAPTURE(opened.message());
    REQUIRE(opened.ok());
    for (int i = 0; i < settings; ++i) REQUIRE(fixture.set(i).ok());
}

void check_all(MirrorFixture& fixture, int settings) {
    for (int i = 0; i < settings; ++i) {
        CAPTURE(i);
        CHECK(fixture.has(i));
    }
}

// That the mirrors' files are the same, byte for byte.
void check_equal(MirrorFixture& fixture) {
    const auto members = fixture.members();
    for (const std::size_t member : members) {
        CAPTURE(member);
        for (const char* suffix : {"", "-wal"}) {
            CHECK(fixture.disk(member).contents(fixture.path_on(member, suffix)) ==
                  fixture.disk(members.front()).contents(fixture.path_on(members.front(), suffix)));
        }
    }
}

}  // namespace

TEST_CASE("a namespace lies on one disk more than may be lost, the same on each") {
    MirrorFixture fixture({6, 2});
    open_with(fixture, 30);
    CHECK(fixture.members() == std::vector<std::size_t>{0, 1, 2});
    CHECK(fixture.mirrors->info().wanted == 3);
    check_equal(fixture);
    for (std::size_t i = 3; i < 6; ++i) CHECK(fixture.disk(i).list("meta")->size() == 1);
}

TEST_CASE("any disks that may be lost can be, and others take their place") {
    for (std::size_t a = 0; a < 4; ++a) {
        for (std::size_t b = a + 1; b < 4; ++b) {
            CAPTURE(a);
            CAPTURE(b);
            MirrorFixture fixture({6, 2});
            open_with(fixture, 20);
            fixture.close();
            for (const std::size_t lost : {a, b}) fixture.disk(lost).replace();
            open_with(fixture, 0, without(a) & without(b));
            check_all(fixture, 20);
            REQUIRE(fixture.set(20).ok());
            fixture.await_members(3);
            check_equal(fixture);
            // Once more.
            fixture.close();
            open_with(fixture, 0, without(a) & without(b));
            check_all(fixture, 21);
        }
    }
}

TEST_CASE("a mirror whose disk was away is stale, and is made anew from the others") {
    MirrorFixture fixture({4, 1});
    open_with(fixture, 5);
    const std::string stale = fixture.path_on(0);
    fixture.close();
    open_with(fixture, 0, without(0));
    fixture.await_members(2);
    for (int i = 5; i < 10; ++i) REQUIRE(fixture.set(i).ok());
    CHECK(fixture.members() == std::vector<std::size_t>{1, 2});
    fixture.close();
    // With the stale one back, and another away.
    open_with(fixture, 0, without(1));
    fixture.await_members(2);
    CHECK(fixture.members() == std::vector<std::size_t>{2, 0});
    CHECK(fixture.path_on(0) != stale);
    check_all(fixture, 10);
    check_equal(fixture);
    // The files that nobody names go once there are enough mirrors.
    fixture.await([&] { return !fixture.disk(0).contents(stale); });
}

TEST_CASE("a start that can not know the newest namespace is refused and changes nothing") {
    MirrorFixture fixture({4, 1});
    open_with(fixture, 5);
    fixture.close();
    // Only 0 and 1 have mirrors.
    const auto operations = fixture.world.operation_count();
    const Status refused = fixture.open(0b0011);
    CHECK(refused.code() == Code::unavailable);
    CHECK(refused.message().find("d2 (") != std::string_view::npos);
    CHECK(fixture.world.operation_count() == operations);
    CHECK(fixture.open(0b0110).code() == Code::unavailable);
    open_with(fixture, 0, 0b0111);
    check_all(fixture, 5);
}

TEST_CASE("a start with too few disks to record it is refused and changes nothing") {
    MirrorFixture fixture({2, 1});
    open_with(fixture, 5);
    fixture.close();
    const auto operations = fixture.world.operation_count();
    const Status refused = fixture.open(0b01);
    CHECK(refused.code() == Code::unavailable);
    CHECK(refused.message().find("d1 (") != std::string_view::npos);
    CHECK(fixture.world.operation_count() == operations);
    open_with(fixture, 0);
    check_all(fixture, 5);
}

TEST_CASE("disks that have a namespace and no record are not taken for new") {
    MirrorFixture fixture({3, 1});
    open_with(fixture, 5);
    fixture.close();
    for (std::size_t i = 0; i < 3; ++i) REQUIRE(fixture.disk(i).remove(kMirrorRecordFile).ok());
    CHECK(fixture.open().code() == Code::unavailable);
}

TEST_CASE("rot in the log of a mirror costs nothing when the namespace is opened again") {
    MirrorFixture fixture({3, 1});
    fixture.fill = false;
    open_with(fixture, 30);
    fixture.disk(0).corrupt(fixture.path_on(0, "-wal"), 32 + 8 * 4120 + 100, 3);
    // All disks are full: nothing happens, and the namespace is opened again.
    for (std::size_t i = 0; i < 3; ++i) {
        fixture.disk(i).fail({.operation = SimOperation::write,
                              .failure = SimFailure::no_space,
                              .path = "namespace"});
    }
    CHECK_FALSE(fixture.set(30).ok());
    for (std::size_t i = 0; i < 3; ++i) fixture.disk(i).clear_faults();
    for (int i = 31; i < 40; ++i) REQUIRE(fixture.set(i).ok());
    check_all(fixture, 30);
    check_equal(fixture);
}

TEST_CASE("a mirror whose files are gone, empty or cut is left out, and filled again") {
    for (const int damage : {0, 1, 2, 3, 4, 5}) {
        CAPTURE(damage);
        MirrorFixture fixture({3, 1});
        fixture.store_options.writer.checkpoint_pages = 20;
        open_with(fixture, 40);
        SimDisk& disk = fixture.disk(0);
        const std::string path = fixture.path_on(0);
        fixture.close();
        REQUIRE(disk.contents(path)->size() > 8 * 4096);
        const auto cut = [&](const std::string& name, std::uint64_t size) {
            const auto file = disk.open(name, OpenMode::write);
            REQUIRE((*file)->truncate(size).ok());
        };
        if (damage == 0) REQUIRE(disk.remove(path).ok());
        if (damage == 1) REQUIRE(disk.remove(path + "-wal").ok());
        if (damage == 2) cut(path, 0);
        if (damage == 3) cut(path + "-wal", 0);
        if (damage == 4) cut(path, 4096);
        if (damage == 5) REQUIRE(disk.open(path + "-journal", OpenMode::create).ok());
        fixture.fill = false;
        open_with(fixture, 0);
        CHECK(fixture.members() == std::vector<std::size_t>{1});
        check_all(fixture, 40);
        fixture.mirrors->start();
        fixture.await_members(2);
        check_equal(fixture);
    }
}

TEST_CASE("rot of a mirror is found when it is read, and mended from another") {
    MirrorFixture fixture({3, 2});
    open_with(fixture, 0);
    for (int i = 0; i < 60; ++i) REQUIRE(fixture.set(i, 3000).ok());
    SimDisk& disk = fixture.disk(0);
    const std::string path = fixture.path_on(0);
    fixture.close();
    const std::string whole = disk.contents(path).value();
    REQUIRE(whole.size() > 40 * 4096);
    // Every other page is rotten on one mirror, and the others can not be read on another.
    for (std::uint64_t page = 0; page < whole.size() / 4096; page += 2) {
        disk.corrupt(path, page * 4096 + 77, 5);
    }
    fixture.fill = false;
    REQUIRE(fixture.open().ok());
    const std::string second = fixture.path_on(1);
    for (std::uint64_t page = 1; page < whole.size() / 4096; page += 2) {
        fixture.disk(1).lose(second, page * 4096, 4096);
    }
    for (int i = 0; i < 60; ++i) CHECK(fixture.has(i, 3000));
    CHECK(fixture.logged.str().find("were mended") != std::string::npos);
    // Nobody was left out for it, and what was read is whole again where it was read first.
    CHECK(fixture.members().size() == 3);
    fixture.close();
    fixture.logged.clear();
    REQUIRE(fixture.open().ok());
    for (int i = 0; i < 60; ++i) CHECK(fixture.has(i, 3000));
    CHECK(fixture.logged.str().find("were mended") == std::string::npos);
}

TEST_CASE("rot in the log of a mirror costs nothing") {
    MirrorFixture fixture({3, 1});
    open_with(fixture, 30);
    const std::string log = fixture.path_on(0, "-wal");
    // No checkpoint comes: power goes.
    fixture.world.cut_power();
    fixture.close();
    fixture.world.power_cycle();
    fixture.disk(0).corrupt(log, 32 + 3 * 4120 + 100, 3);
    fixture.fill = false;
    open_with(fixture, 0);
    check_all(fixture, 30);
    CHECK(fixture.members().size() == 2);
    fixture.close();
    fixture.disk(1).replace();
    open_with(fixture, 0, without(1));
    check_all(fixture, 30);
}

TEST_CASE("mirrors that are cut to nothing under the server cost nothing") {
    MirrorFixture fixture({5, 2});
    fixture.fill = false;
    fixture.store_options.writer.checkpoint_pages = 20;
    open_with(fixture, 40);
    for (const std::size_t i : {0U, 1U}) {
        for (const char* suffix : {"", "-wal"}) {
            const auto file = fixture.disk(i).open(fixture.path_on(i, suffix), OpenMode::write);
            REQUIRE((*file)->truncate(0).ok());
        }
    }
    check_all(fixture, 40);
    for (int i = 40; i < 60; ++i) REQUIRE(fixture.set(i).ok());
    check_all(fixture, 60);
    fixture.close();
    open_with(fixture, 0);
    check_all(fixture, 60);
}

TEST_CASE(
    "a disk that hangs in a write or sync is left out within the limit, and nothing waits "
    "for it after") {
    MirrorFixture fixture({4, 1});
    fixture.options.limit = std::chrono::milliseconds(200);
    open_with(fixture, 3);
    fixture.stalling[0]->stall();
    REQUIRE(fixture.set(3).ok());
    // Another is filled, and the one that hangs is not asked.
    fixture.await([&] { return fixture.members() == std::vector<std::size_t>{1, 2}; });
    fixture.clock.advance(std::chrono::hours(1));
    for (int i = 4; i < 10; ++i) REQUIRE(fixture.set(i).ok());
    check_all(fixture, 10);
    fixture.mirrors->stop();
    fixture.stalling[0]->release();
    fixture.close();
    // What it wrote late counts for nothing.
    open_with(fixture, 0);
    CHECK(fixture.members() == std::vector<std::size_t>{1, 2});
    check_all(fixture, 10);
}

TEST_CASE("when all mirrors hang it is waited for them, and none is left out") {
    MirrorFixture fixture({3, 1});
    fixture.fill = false;
    fixture.options.limit = std::chrono::milliseconds(200);
    open_with(fixture, 3);
    for (const auto& disk : fixture.stalling) disk->stall();
    Status answer;
    std::thread client([&] { answer = fixture.set(3); });
    fixture.stalling[0]->await_stalled(1);
    fixture.stalling[1]->await_stalled(1);
    for (const auto& disk : fixture.stalling) disk->release();
    client.join();
    CHECK(answer.ok());
    CHECK(fixture.members().size() == 2);
    CHECK(fixture.has(3));
}

TEST_CASE("commits go on while a mirror is filled, and it has them all") {
    MirrorFixture fixture({4, 2});
    fixture.options.fill_bytes_per_second = 4 * kMiB;
    open_with(fixture, 0);
    for (int i = 0; i < 400; ++i) REQUIRE(fixture.set(i, 3000).ok());
    fixture.disk(1).set_dead(true);
    int next = 400;
    // The first finds the disk gone; then the fourth disk is filled.
    do {
        CAPTURE(fixture.logged.str());
        REQUIRE(next < 20'000);
        REQUIRE(fixture.set(next++, 3000).ok());
    } while (fixture.members() != std::vector<std::size_t>{0, 2, 3});
    CHECK(next > 401);
    for (int i = 0; i < 20; ++i) REQUIRE(fixture.set(next++, 3000).ok());
    check_equal(fixture);
    fixture.close();
    // That one alone, but for the records.
    for (const std::size_t i : {0, 2}) {
        const auto names = fixture.disk(i).list("meta");
        for (const std::string& name : *names) {
            if (name.starts_with("namespace")) REQUIRE(fixture.disk(i).remove("meta/" + name).ok());
        }
    }
    fixture.fill = false;
    open_with(fixture, 0, without(1));
    CHECK(fixture.members() == std::vector<std::size_t>{3});
    for (int i = 0; i < next; ++i) CHECK(fixture.has(i, 3000));
}

TEST_CASE("when too few disks are left to say so, nothing is acknowledged that one mirror lacks") {
    MirrorFixture fixture({2, 1});
    open_with(fixture, 3);
    fixture.disk(1).set_dead(true);
    CHECK(fixture.set(3).why() == Why::outcome_unknown);
    CAPTURE(fixture.logged.str());
    // From then on it is known before.
    CHECK(fixture.set(4).why() == Why::read_only);
    CHECK(fixture.set(5).why() == Why::read_only);
    // Reading goes on.
    check_all(fixture, 3);
    fixture.close();
    fixture.disk(1).set_dead(false);
    open_with(fixture, 0);
    check_all(fixture, 3);
    CHECK(fixture.set(5).ok());
}

TEST_CASE("a full disk among others is left out, and when all are full nothing has happened") {
    MirrorFixture fixture({3, 1});
    open_with(fixture, 3);
    SUBCASE("one") {
        fixture.disk(0).fail({.operation = SimOperation::write,
                              .failure = SimFailure::no_space,
                              .times = SimFault::kAlways,
                              .path = "namespace"});
        for (int i = 3; i < 8; ++i) REQUIRE(fixture.set(i).ok());
        fixture.await_members(2);
        CHECK(fixture.members() == std::vector<std::size_t>{1, 2});
        check_all(fixture, 8);
    }
    SUBCASE("all") {
        for (std::size_t i = 0; i < 3; ++i) {
            fixture.disk(i).fail({.operation = SimOperation::write,
                                  .failure = SimFailure::no_space,
                                  .times = SimFault::kAlways,
                                  .path = "namespace"});
        }
        const Status refused = fixture.set(3);
        CAPTURE(fixture.logged.str());
        CHECK(refused.code() == Code::no_space);
        CHECK(fixture.members().size() == 2);
        for (std::size_t i = 0; i < 3; ++i) fixture.disk(i).clear_faults();
        REQUIRE(fixture.set(4).ok());
        CHECK_FALSE(fixture.has(3));
    }
}

}  // namespace objstore
