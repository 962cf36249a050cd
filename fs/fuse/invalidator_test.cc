#include "fs/fuse/invalidator.h"

#include <algorithm>
#include <semaphore>
#include <thread>

#include <doctest/doctest.h>
#include <spdlog/sinks/null_sink.h>
#include <spdlog/spdlog.h>

#include "objstore/base/guarded.h"
#include "tests/store/sim_store.h"

namespace fs {
namespace {

using objstore::Change;

// A kernel that notes what it is told, and may hold a directory's lock.
class FakeKernel final : public KernelCache {
public:
    int forget_entry(InodeId parent, const std::string& name) override {
        if (blocked) {
            ++waiting;
            unblock.acquire();
        }
        note("entry " + std::to_string(parent) + " " + name);
        return 0;
    }
    int forget_attributes(InodeId inode) override {
        note("attributes " + std::to_string(inode));
        return absent ? -ENOENT : 0;
    }
    int forget_content(InodeId inode) override {
        note("content " + std::to_string(inode));
        return absent ? -ENOENT : 0;
    }
    std::vector<std::string> told() {
        return told_.with([](const auto& told) { return told; });
    }

    std::atomic<bool> blocked = false;
    std::atomic<int> waiting = 0;  // calls that were blocked
    std::atomic<bool> absent = false;
    std::counting_semaphore<8> unblock{0};

private:
    void note(std::string what) {
        told_.with([&](auto& told) { told.push_back(std::move(what)); });
    }
    objstore::Guarded<std::vector<std::string>> told_;
};

struct Bench {
    explicit Bench(Invalidator::Options options = {})
        : log(std::make_shared<spdlog::logger>("t",
                                               std::make_shared<spdlog::sinks::null_sink_mt>())),
          invalidator(options, {inodes, gate, store.engine().names(), clock, *log}) {
        invalidator.start(kernel);
        (void)inodes.looked_up(5, {1, "d"});
    }
    ~Bench() {
        unblock();
        invalidator.stop();
    }
    void change(Change change, Door door = Door::s3) {
        invalidator.changed(std::span(&change, 1), door);
    }
    // The kernel holds up one call, and a queue for one change is full.
    void fill_queue() {
        kernel.blocked = true;
        change({Change::Kind::entry, 5, "held up"});
        while (kernel.waiting == 0) std::this_thread::yield();
        change({Change::Kind::entry, 5, "queued"});
    }
    void unblock() {
        kernel.blocked = false;
        kernel.unblock.release(4);
    }

    tests::SimStore store{{}};
    objstore::SystemClock clock;
    std::shared_ptr<spdlog::logger> log;
    KernelInodes inodes;
    ReplyGate gate;
    FakeKernel kernel;
    Invalidator invalidator;
};

const Change kEntry{Change::Kind::entry, 5, "name"};
using Told = std::vector<std::string>;

TEST_CASE("the kernel has been told of another door's change when that is answered") {
    Bench bench;
    bench.change(kEntry);
    CHECK(bench.kernel.told() == Told{"entry 5 name"});
    bench.change({Change::Kind::attributes, 5, ""}, Door::nfs);
    bench.change({Change::Kind::content, 5, ""});
    CHECK(bench.kernel.told() == Told{"entry 5 name", "attributes 5", "content 5"});
}

TEST_CASE("the kernel is not told of its own changes, nor of what it does not know") {
    Bench bench;
    bench.change(kEntry, Door::fuse);
    bench.change({Change::Kind::entry, 6, "name"});
    bench.inodes.forget(5, 1);
    bench.change(kEntry);
    CHECK(bench.kernel.told().empty());
}

TEST_CASE("who waits too long is answered, and the directory is not trusted for a while") {
    Bench bench({.wait_max = std::chrono::milliseconds(1)});
    bench.kernel.blocked = true;
    CHECK(bench.invalidator.trusts(5));
    bench.change(kEntry);
    CHECK(bench.invalidator.stats().timed_out == 1);
    CHECK_FALSE(bench.invalidator.trusts(5));
    CHECK(bench.invalidator.trusts(6));
}

TEST_CASE("a thread that serves the mount does not wait") {
    Bench bench;
    bench.kernel.blocked = true;
    const Invalidator::Serving serving;
    bench.change(kEntry, Door::nfs);
    CHECK(bench.kernel.told().empty());
    CHECK(bench.invalidator.stats().timed_out == 0);
}

TEST_CASE("an overflowing queue is counted and its directory not trusted") {
    Bench bench({.wait_max = std::chrono::milliseconds(1), .queue_max = 1});
    bench.fill_queue();
    CHECK(bench.invalidator.stats().overflowed == 0);
    bench.change(kEntry);
    CHECK(bench.invalidator.stats().overflowed == 1);
    CHECK_FALSE(bench.invalidator.trusts(5));
}

TEST_CASE("an inode whose change finds the queue full is forgotten when there is room") {
    Bench bench({.wait_max = std::chrono::milliseconds(1), .queue_max = 1});
    (void)bench.inodes.looked_up(7, {5, "f"});
    bench.fill_queue();
    bench.change({Change::Kind::attributes, 7, ""});
    bench.unblock();
    const auto told = [&] {
        const Told all = bench.kernel.told();
        return std::find(all.begin(), all.end(), "content 7") != all.end();
    };
    while (!told()) std::this_thread::yield();
}

TEST_CASE("of a directory whose change finds the queue full all names are forgotten") {
    Bench bench({.wait_max = std::chrono::milliseconds(1), .queue_max = 1});
    const InodeId bucket = bench.store.bucket();
    (void)bench.inodes.looked_up(bucket, {1, "b"});
    // The kernel knows one name that is gone, and may know that others are not there.
    (void)bench.inodes.looked_up(77, {bucket, "gone"});
    (void)bench.inodes.looked_up(78, {5, "elsewhere"});
    REQUIRE(bench.store.put("there", "x").ok());
    REQUIRE(bench.store.put("directory/k", "x").ok());
    bench.fill_queue();
    bench.change({Change::Kind::entry, bucket, "any"});
    bench.unblock();
    // A change that is told after it.
    while (bench.kernel.told().empty() || bench.kernel.told().back() != "attributes 5") {
        bench.change({Change::Kind::attributes, 5, ""});
    }
    const Told told = bench.kernel.told();
    for (const char* name : {"gone", "there", "directory"}) {
        CAPTURE(name);
        const std::string wanted = "entry " + std::to_string(bucket) + " " + name;
        CHECK(std::count(told.begin(), told.end(), wanted) == 1);
    }
    CHECK(std::count(told.begin(), told.end(), "entry 5 elsewhere") == 0);
}

TEST_CASE("who finds the queue full is answered after the kernel was told") {
    Bench bench({.wait_max = std::chrono::minutes(1), .queue_max = 0});
    (void)bench.inodes.looked_up(77, {5, "name"});
    bench.change(kEntry);
    CHECK(bench.kernel.told() == Told{"entry 5 name"});
    bench.change({Change::Kind::attributes, 5, ""});
    CHECK(bench.kernel.told() == Told{"entry 5 name", "content 5"});
    CHECK(bench.invalidator.stats().timed_out == 0);
    CHECK(bench.invalidator.trusts(5));
}

TEST_CASE("the names of an inode are known as the kernel has them, up to a bound") {
    KernelInodes inodes;
    const auto names_in = [&](InodeId directory) {
        Told names;
        for (std::size_t part = 0; part < KernelInodes::kParts; ++part) {
            for (const auto& one : inodes.names_in({directory}, part)) names.push_back(one.name);
        }
        return names;
    };
    CHECK_FALSE(inodes.looked_up(9, {5, "a"}));
    CHECK_FALSE(inodes.looked_up(9, {5, "a"}));
    CHECK_FALSE(inodes.looked_up(9, {6, "link"}));
    CHECK(names_in(5) == Told{"a"});
    CHECK_FALSE(inodes.renamed(9, {5, "a"}, {7, "b"}));
    CHECK(names_in(5).empty());
    CHECK(names_in(6) == Told{"link"});
    CHECK(names_in(7) == Told{"b"});
    for (std::size_t i = 2; i < KernelInodes::kNamesMax; ++i) {
        CHECK_FALSE(inodes.looked_up(9, {5, std::to_string(i)}));
    }
    CHECK(inodes.looked_up(9, {5, "more"}) == KernelName{6, "link"});
    inodes.forget(9, 100);
    CHECK(names_in(5).empty());
}

TEST_CASE("an inode whose lookup is just being taken in is told of after its directory") {
    Bench bench;
    REQUIRE(bench.store.put("f", "x").ok());
    const auto found = bench.store.engine().stat(bench.store.bucket(), "f");
    REQUIRE(found.ok());
    const InodeId inode = found->inode->id;
    (void)bench.inodes.looked_up(inode, {bench.store.bucket(), "f"});
    bench.kernel.absent = true;
    bench.change({Change::Kind::attributes, inode, ""});
    const std::string attributes = "attributes " + std::to_string(inode);
    const std::string entry = "entry " + std::to_string(bench.store.bucket()) + " f";
    CHECK(bench.kernel.told() == Told{attributes, entry, attributes});
}

TEST_CASE("a reply made up before a change is not cached after it") {
    ReplyGate gate;
    const std::uint64_t seen = gate.seen();
    CHECK(ReplyGate::Pass(gate, seen).fresh());
    gate.changed();
    CHECK_FALSE(ReplyGate::Pass(gate, seen).fresh());
    CHECK(ReplyGate::Pass(gate, gate.seen()).fresh());
}

TEST_CASE("who tells the kernel waits for the replies that passed before, not for later ones") {
    ReplyGate gate;
    auto early = std::make_unique<ReplyGate::Pass>(gate, gate.seen());
    std::atomic<bool> waited = false;
    std::thread waiter([&] {
        gate.wait_for_replies();
        waited = true;
    });
    CHECK_FALSE(waited);
    early.reset();
    waiter.join();
    const ReplyGate::Pass late(gate, gate.seen());
    CHECK(waited);
}

}  // namespace
}  // namespace fs
