#include <set>

#include <doctest/doctest.h>

#include "objstore/meta/sqlite_store.h"
#include "objstore/meta/store_fixture.h"
#include "tests/sim/check_status.h"

namespace objstore {

namespace {

using tests::check_error;
using tests::SimFailure;
using tests::SimFault;
using tests::SimOperation;
using tests::StoreFixture;

bool exists(const StoreFixture& fixture, const std::string& name) {
    return fixture.store->lookup(fixture.bucket, name).ok();
}

std::string name_of(int i) {
    // Long enough that the tree has several pages.
    return fmt::format("{:04}-{}", i, std::string(200, 'n'));
}

SimFault failing(SimOperation operation, SimFailure failure, std::uint64_t after) {
    SimFault fault;
    fault.operation = operation;
    fault.failure = failure;
    fault.after = after;
    fault.path = "namespace.db";
    return fault;
}

// A name that leads nowhere, or a count that is wrong, would be a torn commit.
void check_whole(StoreFixture& fixture) {
    const auto entries = fixture.store->list({fixture.bucket, "", true, "", 100'000});
    REQUIRE(entries.ok());
    CHECK(fixture.store->totals().inodes == entries->size() + 2);
    CHECK(fixture.store->getattr(fixture.bucket).value()->directory.children == entries->size());
}

}  // namespace

TEST_CASE("at every crash point acknowledged durable commits are there and the rest is a prefix") {
    constexpr int kTxns = 24;
    bool cut = true;
    for (std::uint64_t crash_at = 0; cut; ++crash_at) {
        CAPTURE(crash_at);
        StoreFixture fixture(tests::test_seed() + crash_at);
        fixture.options.writer.checkpoint_pages = 20;
        fixture.open();
        fixture.world.cut_power_after(crash_at);
        int durable = -1;  // the last Txn that was acknowledged as durable
        int acknowledged = -1;
        for (int i = 0; i < kTxns && !fixture.world.power_was_cut(); ++i) {
            const bool ask_durable = i % 3 == 2;
            if (!fixture.create(name_of(i), ask_durable).status.ok()) break;
            acknowledged = i;
            if (ask_durable) durable = i;
            if (i % 7 == 5 && fixture.store->sync().ok()) durable = i;
        }
        cut = fixture.world.power_was_cut();
        if (!cut) CHECK(acknowledged == kTxns - 1);
        fixture.power_cycle();
        int there = 0;
        while (exists(fixture, name_of(there))) ++there;
        CHECK(there > durable);
        CHECK(there <= acknowledged + 2);  // the one in flight may have happened
        for (int i = there; i < kTxns; ++i) CHECK_FALSE(exists(fixture, name_of(i)));
        check_whole(fixture);
        // And it goes on.
        CHECK(fixture.create("after").status.ok());
    }
}

TEST_CASE("a crash during a stop loses nothing") {
    bool cut = true;
    for (std::uint64_t crash_at = 0; cut; ++crash_at) {
        CAPTURE(crash_at);
        StoreFixture fixture(tests::test_seed() + crash_at);
        fixture.open();
        for (int i = 0; i < 5; ++i) REQUIRE(fixture.create(name_of(i), i < 4).status.ok());
        fixture.world.cut_power_after(crash_at);
        const bool stopped = fixture.store->stop().ok();
        cut = fixture.world.power_was_cut();
        fixture.power_cycle();
        for (int i = 0; i < (stopped ? 5 : 4); ++i) CHECK(exists(fixture, name_of(i)));
        check_whole(fixture);
    }
}

TEST_CASE("ids are never given again after a crash, not even those of lost commits") {
    std::set<std::uint64_t> seen;
    StoreFixture fixture(tests::test_seed());
    for (int round = 0; round < 6; ++round) {
        CAPTURE(round);
        fixture.open();
        for (int i = 0; i < 30; ++i) {
            const auto made = fixture.create(fmt::format("{}-{}", round, i), i % 10 == 0);
            REQUIRE(made.status.ok());
            CHECK(seen.insert(made.results[0].inode->id).second);
            CHECK(seen.insert(made.results[0].entry.cookie).second);
            CHECK(seen.insert(fixture.store->new_inode_id()).second);
        }
        fixture.world.cut_power();
        fixture.close();
        fixture.world.power_cycle();
    }
}

TEST_CASE("after more ids than a block has, none is given again either") {
    StoreFixture fixture;
    fixture.open();
    std::uint64_t last = 0;
    for (int i = 0; i < 200'000; ++i) last = fixture.store->new_inode_id();
    REQUIRE(fixture.create("a", false).status.ok());
    fixture.world.cut_power();
    fixture.power_cycle();
    CHECK(fixture.store->new_inode_id() > last);
}

TEST_CASE("a failed commit has an unknown outcome, and the store goes on from what is there") {
    for (const SimOperation operation : {SimOperation::write, SimOperation::sync}) {
        for (std::uint64_t after = 0; after < 12; ++after) {
            CAPTURE(static_cast<int>(operation));
            CAPTURE(after);
            StoreFixture fixture(tests::test_seed() + after);
            fixture.open();
            REQUIRE(fixture.create("before").status.ok());
            REQUIRE(fixture.create("loose", false).status.ok());
            fixture.disk.fail(failing(operation, SimFailure::io_error, after));
            std::vector<std::string> acknowledged{"before", "loose"};
            int failures = 0;
            for (int i = 0; i < 8; ++i) {
                const auto made = fixture.create(name_of(i));
                if (made.status.ok()) {
                    acknowledged.push_back(name_of(i));
                    continue;
                }
                ++failures;
                check_error(made.status, Code::io_error, Why::outcome_unknown);
            }
            CHECK(failures <= 1);
            for (const std::string& name : acknowledged) CHECK(exists(fixture, name));
            check_whole(fixture);
            // What readers see now is what a power cut leaves.
            fixture.disk.clear_faults();
            REQUIRE(fixture.store->sync().ok());
            fixture.world.cut_power();
            fixture.power_cycle();
            for (const std::string& name : acknowledged) CHECK(exists(fixture, name));
            check_whole(fixture);
        }
    }
}

TEST_CASE("a refusal in a batch whose commit fails is taken back too") {
    StoreFixture fixture;
    fixture.open();
    fixture.disk.fail(failing(SimOperation::sync, SimFailure::io_error, 0));
    // The second Txn is refused because of the first one; both are in one batch or in two.
    std::vector<Status> statuses(2);
    Txn one;
    one.ops.emplace_back(fixture.create_op(fixture.bucket, "a"));
    fixture.store->submit(one, [&](TxnResult&& result) { statuses[0] = result.status; });
    fixture.store->submit(one, [&](TxnResult&& result) { statuses[1] = result.status; });
    (void)fixture.store->sync();  // queued behind them, maybe in their batch
    CHECK_FALSE(statuses[0].ok());
    if (statuses[1].code() == Code::already_exists) CHECK(exists(fixture, "a"));
}

TEST_CASE("a full disk is told as such and leaves the namespace readable") {
    StoreFixture fixture;
    fixture.open();
    REQUIRE(fixture.create("before").status.ok());
    SimFault full = failing(SimOperation::write, SimFailure::no_space, 0);
    full.times = SimFault::kAlways;
    fixture.disk.fail(full);
    check_error(fixture.create("lost").status, Code::no_space);
    CHECK(exists(fixture, "before"));
    CHECK_FALSE(exists(fixture, "lost"));
    check_error(fixture.create("lost").status, Code::no_space);
    CHECK(fixture.store->list({fixture.bucket})->size() == 1);
    fixture.disk.clear_faults();
    CHECK(fixture.create("after").status.ok());
    fixture.power_cycle();
    CHECK(exists(fixture, "after"));
    CHECK_FALSE(exists(fixture, "lost"));
}

TEST_CASE("a dead disk refuses changes until it is back") {
    StoreFixture fixture;
    fixture.open();
    REQUIRE(fixture.create("before").status.ok());
    fixture.disk.set_dead(true);
    CHECK_FALSE(fixture.create("lost").status.ok());
    check_error(fixture.create("refused").status, Code::unavailable);
    check_error(fixture.store->list({fixture.bucket}).error(), Code::unavailable);
    fixture.disk.set_dead(false);
    CHECK(fixture.create("after").status.ok());
    CHECK(exists(fixture, "before"));
    CHECK_FALSE(exists(fixture, "refused"));
    check_whole(fixture);
}

TEST_CASE("a database that is gone is not made anew while the store runs") {
    StoreFixture fixture;
    fixture.open();
    REQUIRE(fixture.create("before").status.ok());
    fixture.disk.fail(failing(SimOperation::sync, SimFailure::io_error, 0));
    REQUIRE(fixture.disk.rename("meta/namespace.db", "meta/else").ok());
    REQUIRE(fixture.disk.rename("meta/namespace.db-wal", "meta/else-wal").ok());
    CHECK_FALSE(fixture.create("lost").status.ok());
    CHECK_FALSE(fixture.create("refused").status.ok());
    CHECK_FALSE(fixture.disk.contents("meta/namespace.db").has_value());
}

TEST_CASE("what the durable sequence has reached survives a power cut") {
    StoreFixture fixture(tests::test_seed());
    fixture.open();
    const auto loose = fixture.create("loose", false);
    CHECK(fixture.store->durable_sequence() < loose.sequence);
    const auto durable = fixture.create("durable");
    CHECK(durable.sequence > loose.sequence);
    CHECK(fixture.store->durable_sequence() == durable.sequence);
    const auto later = fixture.create("later", false);
    CHECK(fixture.store->durable_sequence() < later.sequence);
    REQUIRE(fixture.store->sync().ok());
    CHECK(fixture.store->durable_sequence() >= later.sequence);
    fixture.world.cut_power();
    fixture.power_cycle();
    for (const char* name : {"loose", "durable", "later"}) CHECK(exists(fixture, name));
    // Not known of what recovery found, until something is synced.
    CHECK(fixture.store->durable_sequence() == 0);
    REQUIRE(fixture.store->sync().ok());
    CHECK(fixture.store->durable_sequence() > later.sequence);
}

TEST_CASE("a failed checkpoint loses nothing") {
    for (std::uint64_t after = 0; after < 40; after += 3) {
        CAPTURE(after);
        StoreFixture fixture(tests::test_seed() + after);
        fixture.options.writer.checkpoint_pages = 10;
        fixture.open();
        SimFault fault = failing(SimOperation::write, SimFailure::io_error, after);
        fault.path = "namespace.db";
        fixture.disk.fail(fault);
        std::vector<std::string> acknowledged;
        for (int i = 0; i < 30; ++i) {
            if (fixture.create(name_of(i)).status.ok()) acknowledged.push_back(name_of(i));
        }
        CHECK(acknowledged.size() >= 29);
        fixture.world.cut_power();
        fixture.power_cycle();
        for (const std::string& name : acknowledged) CHECK(exists(fixture, name));
        check_whole(fixture);
    }
}

TEST_CASE("a rotten page is reported and not believed") {
    StoreFixture fixture;
    fixture.open();
    for (int i = 0; i < 50; ++i) REQUIRE(fixture.create(name_of(i), false).status.ok());
    fixture.close();
    const std::size_t size = fixture.disk.contents("meta/namespace.db")->size();
    for (std::uint64_t page = 2; page < size / 4096; ++page) {
        fixture.disk.corrupt("meta/namespace.db", page * 4096 + 2000, 16);
    }
    const Status opened = fixture.try_open();
    if (opened.ok()) check_error(fixture.store->list({fixture.bucket}).error(), Code::corruption);
}

}  // namespace objstore
