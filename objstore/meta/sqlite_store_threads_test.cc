#include <atomic>
#include <functional>
#include <set>
#include <thread>

#include <doctest/doctest.h>

#include "objstore/meta/sqlite_store.h"
#include "objstore/meta/store_fixture.h"
#include "tests/sim/check_status.h"

namespace objstore {

namespace {

using tests::SimFailure;
using tests::SimFault;
using tests::SimOperation;
using tests::SimRandom;
using tests::StoreFixture;

// Runs fn(0) … fn(count - 1) at once. doctest's assertions are not used within.
void at_once(int count, const std::function<void(int)>& fn) {
    std::vector<std::thread> threads;
    for (int i = 0; i < count; ++i) threads.emplace_back(fn, i);
    for (std::thread& thread : threads) thread.join();
}

}  // namespace

TEST_CASE("commits of many threads share syncs and are all there") {
    constexpr int kThreads = 16;
    constexpr int kEach = 40;
    StoreFixture fixture;
    fixture.open();
    const std::uint64_t before = fixture.disk.count(SimOperation::sync);
    std::atomic<int> failed{0};
    at_once(kThreads, [&](int thread) {
        for (int i = 0; i < kEach; ++i) {
            if (!fixture.create(fmt::format("{}-{}", thread, i)).status.ok()) ++failed;
        }
    });
    CHECK(failed == 0);
    CHECK(fixture.disk.count(SimOperation::sync) - before < kThreads * kEach);
    fixture.world.cut_power();
    fixture.power_cycle();
    CHECK(fixture.store->list({fixture.bucket})->size() == kThreads * kEach);
    CHECK(fixture.store->getattr(fixture.bucket).value()->directory.children == kThreads * kEach);
}

TEST_CASE("completions come in the order of submission") {
    StoreFixture fixture;
    fixture.open();
    std::vector<int> order;  // the writer's thread only
    for (int i = 0; i < 500; ++i) {
        Txn txn;
        txn.ops.emplace_back(fixture.create_op(fixture.bucket, std::to_string(i % 50)));
        txn.durable = i % 7 == 0;
        fixture.store->submit(std::move(txn), [&order, i](TxnResult&&) { order.push_back(i); });
    }
    REQUIRE(fixture.store->stop().ok());
    REQUIRE(order.size() == 500);
    CHECK(std::is_sorted(order.begin(), order.end()));
}

TEST_CASE("no reader sees a value older than one acknowledged or one it has seen") {
    constexpr int kFiles = 24;
    constexpr int kChanges = 150;
    StoreFixture fixture;
    fixture.options.cache_bytes = 64 * kKiB;  // most reads go to the database
    fixture.options.writer.checkpoint_pages = 100;
    fixture.open();
    std::vector<InodeId> ids;
    for (int i = 0; i < kFiles; ++i) {
        ids.push_back(fixture.create(std::to_string(i), false).results[0].inode->id);
    }
    std::vector<std::atomic<UnixNanos>> acknowledged(kFiles);
    std::atomic<int> writing{2};
    std::atomic<int> stale{0};
    std::atomic<int> failed{0};

    const auto write = [&](int writer) {
        for (int change = 1; change <= kChanges; ++change) {
            for (int file = writer; file < kFiles; file += 2) {
                SetAttributesOp op;
                op.inode = ids.at(static_cast<std::size_t>(file));
                op.mtime = change;
                op.time = 1;
                if (!fixture.store->commit(op, change % 8 == 0).status.ok()) ++failed;
                acknowledged.at(static_cast<std::size_t>(file)) = change;
            }
        }
        --writing;
    };
    const auto read = [&](int reader) {
        SimRandom random(static_cast<std::uint64_t>(reader));
        std::vector<UnixNanos> seen(kFiles, 0);
        while (writing > 0) {
            const std::size_t file = random.below(kFiles);
            const UnixNanos floor = std::max(seen[file], acknowledged[file].load());
            InodePtr inode;
            switch (random.below(5)) {
                case 0:
                    inode = fixture.store->getattr(ids[file]).value();
                    break;
                case 1:
                    inode = fixture.store->lookup(fixture.bucket, std::to_string(file))->inode;
                    break;
                case 2:
                    inode = fixture.store->content(ids[file], 0, 1)->inode;
                    break;
                case 3:
                    inode = fixture.store->cached_inode(ids[file]);
                    break;
                default:
                    ListQuery query;
                    query.parent = fixture.bucket;
                    query.from = std::to_string(file);
                    query.limit = 1;
                    inode = fixture.store->list(query)->at(0).inode;
            }
            if (inode == nullptr) continue;
            const UnixNanos now = inode->mtime > kChanges ? 0 : inode->mtime;  // 0: as created
            if (now < floor) ++stale;
            seen[file] = now;
        }
    };
    at_once(5, [&](int thread) { thread < 2 ? write(thread) : read(thread); });
    CHECK(failed == 0);
    CHECK(stale == 0);
}

TEST_CASE("whoever has seen a name in a listing finds it by every other call") {
    StoreFixture fixture;
    fixture.options.cache_bytes = kMiB;
    fixture.open();
    std::atomic<bool> done{false};
    std::atomic<int> missing{0};
    const auto write = [&] {
        for (int i = 0; i < 400; ++i) (void)fixture.create(fmt::format("{:04}", i), i % 5 == 0);
        done = true;
    };
    const auto read = [&] {
        std::string from;
        while (!done) {
            const auto page = fixture.store->list({fixture.bucket, from, false, "", 50});
            if (!page.ok() || page->empty()) {
                // What comes next is looked up, so its absence is in the cache.
                (void)fixture.store->lookup(fixture.bucket, from + "x");
                continue;
            }
            for (const EntryWithInode& one : *page) {
                if (!fixture.store->lookup(fixture.bucket, one.entry.name).ok()) ++missing;
                if (!fixture.store->getattr(one.entry.inode).ok()) ++missing;
                const int next = std::atoi(one.entry.name.c_str()) + 1;
                (void)fixture.store->lookup(fixture.bucket, fmt::format("{:04}", next));
            }
            from = page->back().entry.name;
        }
    };
    at_once(3, [&](int thread) { thread == 0 ? write() : read(); });
    CHECK(missing == 0);
}

TEST_CASE("an inode that could be held stays until it is released") {
    StoreFixture fixture;
    fixture.open();
    std::atomic<InodeId> current{0};
    std::atomic<bool> done{false};
    std::atomic<int> lost{0};
    std::atomic<int> held{0};
    const auto write = [&] {
        for (int i = 0; i < 300; ++i) {
            const auto made = fixture.create("f", false);
            current = made.results[0].inode->id;
            (void)fixture.store->commit(UnlinkOp{fixture.bucket, "f", 1}, false);
        }
        done = true;
    };
    const auto hold = [&] {
        while (!done) {
            const InodeId id = current;
            if (id == 0 || !fixture.store->hold(id).ok()) continue;
            ++held;
            for (int i = 0; i < 3; ++i) {
                if (!fixture.store->getattr(id).ok()) ++lost;
            }
            fixture.store->release(id);
        }
    };
    at_once(3, [&](int thread) { thread == 0 ? write() : hold(); });
    CHECK(lost == 0);
    CHECK(held > 0);
    REQUIRE(fixture.store->sync().ok());
    REQUIRE(fixture.store->upkeep().ok());
    CHECK(fixture.store->orphans(10)->empty());
    CHECK(fixture.store->totals().inodes == 2);
}

TEST_CASE("failed commits under load lose nothing acknowledged and nobody waits for ever") {
    constexpr int kThreads = 4;
    StoreFixture fixture;
    fixture.options.cache_bytes = 64 * kKiB;
    fixture.options.writer.checkpoint_pages = 60;
    fixture.open();
    std::vector<std::vector<std::string>> acknowledged(kThreads);
    at_once(kThreads + 1, [&](int thread) {
        if (thread == kThreads) {
            for (int i = 0; i < 6; ++i) {
                SimFault fault;
                fault.operation = i % 2 == 0 ? SimOperation::sync : SimOperation::write;
                fault.failure = SimFailure::io_error;
                fault.after = 20;
                fault.path = "namespace.db";
                fixture.disk.fail(fault);
                for (int reads = 0; reads < 200; ++reads) {
                    (void)fixture.store->list({fixture.bucket, "", true, "", 5});
                }
            }
            return;
        }
        for (int i = 0; i < 60; ++i) {
            const std::string name = fmt::format("{}-{}", thread, i);
            if (fixture.create(name).status.ok()) {
                acknowledged.at(static_cast<std::size_t>(thread)).push_back(name);
            }
            (void)fixture.store->lookup(fixture.bucket, name);
        }
    });
    fixture.disk.clear_faults();
    REQUIRE(fixture.create("after").status.ok());
    fixture.world.cut_power();
    fixture.power_cycle();
    for (const auto& names : acknowledged) {
        for (const std::string& name : names) {
            CAPTURE(name);
            CHECK(fixture.store->lookup(fixture.bucket, name).ok());
        }
    }
}

TEST_CASE("commits that need not be durable are synced within the interval all by themselves") {
    StoreFixture fixture;
    fixture.options.writer.sync_interval = std::chrono::milliseconds(5);
    fixture.open();
    const auto syncs = [&] { return fixture.disk.count(tests::SimOperation::sync); };
    const std::uint64_t before = syncs();
    REQUIRE(fixture.create("f", false).status.ok());
    // The writer wakes by itself; this only lets time pass for it.
    while (syncs() == before) {
        fixture.clock.advance(std::chrono::milliseconds(1));
        std::this_thread::yield();
    }
    fixture.world.cut_power();
    fixture.power_cycle();
    CHECK(fixture.store->lookup(fixture.bucket, "f").ok());
}

TEST_CASE("submissions during a stop are carried out or refused, never forgotten") {
    StoreFixture fixture;
    fixture.open();
    std::atomic<int> answered{0};
    std::atomic<int> done{0};
    at_once(3, [&](int thread) {
        if (thread == 0) {
            (void)fixture.store->stop();
            return;
        }
        for (int i = 0; i < 200; ++i) {
            const auto made = fixture.create(fmt::format("{}-{}", thread, i), false);
            ++answered;
            if (made.status.ok()) ++done;
        }
    });
    CHECK(answered == 400);
    fixture.close();
    fixture.open();
    CHECK(fixture.store->list({fixture.bucket})->size() == static_cast<std::size_t>(done));
}

TEST_CASE("a batch that touches many rows is committed in parts, in order") {
    StoreFixture fixture;
    fixture.options.writer.batch_rows_max = 50;
    fixture.open();
    std::vector<Txn> txns(100);
    for (std::size_t i = 0; i < txns.size(); ++i) {
        txns[i].ops.emplace_back(fixture.create_op(fixture.bucket, fmt::format("f{}", i)));
    }
    std::uint64_t before = 0;
    std::set<std::uint64_t> commits;
    for (const TxnResult& result : fixture.run_batch(std::move(txns))) {
        REQUIRE(result.status.ok());
        CHECK(result.sequence >= before);
        before = result.sequence;
        commits.insert(before);
    }
    CHECK(commits.size() >= 4);
    CHECK(commits.size() <= 20);
    CHECK(fixture.store->is_durable(before));
}

TEST_CASE("upkeep frees a little at a time until nothing is left") {
    StoreFixture fixture;
    fixture.open();
    fixture.create_in_table("big", 3500);
    REQUIRE(fixture.store->commit(UnlinkOp{fixture.bucket, "big", 6}).status.ok());
    CHECK(fixture.store->totals().live_bytes == 3500 * 50);
    int rounds = 0;
    for (bool more = true; more; ++rounds) {
        REQUIRE(rounds < 10);
        more = fixture.store->upkeep().value();
    }
    CHECK(rounds == 4);
    CHECK(fixture.store->totals().live_bytes == 0);
    CHECK(fixture.store->orphans(10)->empty());
}

}  // namespace objstore
