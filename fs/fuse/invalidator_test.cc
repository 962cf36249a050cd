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
        if (blocked) unblock.acquire();
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
        inodes.looked_up(5);
    }
    ~Bench() {
        kernel.blocked = false;
        kernel.unblock.release(4);
        invalidator.stop();
    }
    void change(Change change, Door door = Door::s3) {
        invalidator.changed(std::span(&change, 1), door);
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
    bench.kernel.blocked = true;
    for (int i = 0; i < 4; ++i) bench.change(kEntry);
    CHECK(bench.invalidator.stats().dropped > 0);
    CHECK_FALSE(bench.invalidator.trusts(5));
}

TEST_CASE("an inode whose change finds the queue full is forgotten when there is room") {
    Bench bench({.wait_max = std::chrono::milliseconds(1), .queue_max = 1});
    bench.inodes.looked_up(7);
    bench.kernel.blocked = true;
    for (int i = 0; i < 4; ++i) bench.change(kEntry);
    bench.change({Change::Kind::attributes, 7, ""});
    REQUIRE(bench.invalidator.stats().dropped > 0);
    bench.kernel.blocked = false;
    bench.kernel.unblock.release(4);
    const auto told = [&] {
        const Told all = bench.kernel.told();
        return std::find(all.begin(), all.end(), "content 7") != all.end();
    };
    while (!told()) std::this_thread::yield();
}

TEST_CASE("an inode whose lookup is just being taken in is told of after its directory") {
    Bench bench;
    REQUIRE(bench.store.put("f", "x").ok());
    const auto found = bench.store.engine().stat(bench.store.bucket(), "f");
    REQUIRE(found.ok());
    const InodeId inode = found->inode->id;
    bench.inodes.looked_up(inode);
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
