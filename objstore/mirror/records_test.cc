#include "objstore/mirror/records.h"

#include <doctest/doctest.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/null_sink.h>

#include "tests/sim/sim_disk.h"

namespace objstore {

namespace {

using tests::SimDisk;
using tests::SimOperation;
using tests::SimRandom;
using tests::SimWorld;

struct Disks {
    Disks(std::size_t count, std::uint32_t p, std::uint64_t seed = 1) : world(seed), parity(p) {
        for (std::size_t i = 0; i < count; ++i) world.add_disk("d" + std::to_string(i));
    }
    std::size_t count() const { return world.disk_count(); }
    SimDisk& disk(std::size_t i) { return world.disk(i); }

    // `here`: a bit for each disk.
    Result<std::unique_ptr<MirrorRecords>> read(std::uint64_t here = ~std::uint64_t{0}) {
        MirrorRecords::Options options;
        options.deployment = {1, 2};
        options.parity = parity;
        for (std::size_t i = 0; i < count(); ++i) {
            const LabelDisk label{.id = i + 1, .path = disk(i).name()};
            options.disks.push_back({label, (here >> i & 1) != 0 ? &disk(i) : nullptr});
        }
        return MirrorRecords::read(std::move(options), log);
    }
    std::unique_ptr<MirrorRecords> started(std::uint64_t here = ~std::uint64_t{0}) {
        auto records = read(here);
        REQUIRE(records.ok());
        REQUIRE((*records)->start().ok());
        return std::move(records).value();
    }

    SimWorld world;
    const std::uint32_t parity;
    spdlog::logger log{"test", std::make_shared<spdlog::sinks::null_sink_mt>()};
};

// What somebody was told is in force.
struct Told {
    MirrorEpoch epoch;
    std::vector<MirrorEntry> mirrors;
};

// A life of `steps` starts, each with some disks away and cut at some point, with changes between.
void live(Disks& disks, SimRandom& random, int steps) {
    const std::size_t n = disks.count();
    Told told;
    // Changes that were asked for and may be in force or not.
    std::vector<std::vector<MirrorEntry>> possible = {{}};
    for (int step = 0; step < steps; ++step) {
        std::uint64_t here = ~std::uint64_t{0};
        const std::uint64_t away = step == 0 ? 0 : random.below(disks.parity + 1);
        for (std::uint64_t i = 0; i < away; ++i) here &= ~(std::uint64_t{1} << random.below(n));
        disks.world.cut_power_after(random.percent(60) ? random.below(60) : 100'000);
        auto records = disks.read(here);
        if (records.ok()) {
            // Before the start writes anything, it knows what was told.
            const MirrorRecord& newest = (*records)->current();
            REQUIRE(newest.epoch >= told.epoch);
            if (newest.epoch == told.epoch) REQUIRE(newest.mirrors == told.mirrors);
            REQUIRE(std::ranges::count(possible, newest.mirrors) > 0);
            if ((*records)->start().ok()) {
                const MirrorRecord& current = (*records)->current();
                told = {current.epoch, current.mirrors};
                possible = {current.mirrors};
                for (std::uint64_t change = random.below(4); change > 0; --change) {
                    std::vector<MirrorEntry> mirrors;
                    for (std::size_t i = 0; i <= disks.parity; ++i) {
                        mirrors.push_back({(random.below(n) + i) % n + 1, random.next() | 1});
                    }
                    std::ranges::sort(mirrors, {}, &MirrorEntry::disk);
                    const auto same_disk = [](const MirrorEntry& a, const MirrorEntry& b) {
                        return a.disk == b.disk;
                    };
                    mirrors.erase(std::unique(mirrors.begin(), mirrors.end(), same_disk),
                                  mirrors.end());
                    possible.push_back(mirrors);
                    if (!(*records)->propose(mirrors).ok()) continue;
                    told = {(*records)->current().epoch, mirrors};
                    possible = {mirrors};
                }
            }
        }
        records = Status::cancelled("closed");
        disks.world.power_cycle();
    }
    // In the end all are here again.
    REQUIRE(disks.started()->current().epoch > told.epoch);
}

}  // namespace

TEST_CASE("whatever was in force is known to every later start, however they were interrupted") {
    struct Shape {
        std::size_t disks;
        std::uint32_t parity;
    };
    for (const Shape shape : {Shape{1, 0}, {2, 1}, {3, 1}, {4, 2}, {6, 2}, {7, 3}}) {
        for (std::uint64_t seed = 1; seed <= 25; ++seed) {
            CAPTURE(shape.disks);
            CAPTURE(seed);
            const std::uint64_t mixed = tests::test_seed(seed) * 100 + shape.disks;
            Disks disks(shape.disks, shape.parity, mixed);
            SimRandom random(mixed);
            live(disks, random, 12);
        }
    }
}

TEST_CASE("a start without the newest records is refused, and says which disks are missing") {
    Disks disks(6, 2);
    REQUIRE(disks.started()->propose({{1, 7}}).ok());
    CHECK(disks.read(0b001111).ok());
    const auto refused = disks.read(0b000111);
    REQUIRE(refused.code() == Code::unavailable);
    const std::string message(refused.error().message());
    for (const char* name : {"d3", "d4", "d5"}) CHECK(message.find(name) != std::string::npos);
    CHECK(message.find("d0") == std::string::npos);
    // One that can not be read is as good as missing.
    disks.disk(0).remove(kMirrorRecordFile).ok();
    CHECK(disks.read(0b001111).code() == Code::unavailable);
    CHECK(disks.read(0b011111).ok());
}

TEST_CASE("a change that too few disks have is not in force, and the next one is") {
    Disks disks(3, 1);
    const auto records = disks.started();
    REQUIRE(records->propose({{1, 5}, {2, 5}}).ok());
    disks.disk(0).fail({.operation = SimOperation::sync, .path = kMirrorRecordFile});
    REQUIRE(records->propose({{1, 5}}).ok());
    // It has no vote any more.
    disks.disk(1).set_dead(true);
    CHECK(records->propose({{2, 5}}).code() == Code::unavailable);
    CHECK(records->current().mirrors == std::vector<MirrorEntry>{{1, 5}});
}

TEST_CASE(
    "a deployment whose first records were cut off is still new, and one that has no disk "
    "with a record but others is not") {
    Disks disks(3, 1);
    disks.world.cut_power_after(8);
    {
        const auto records = disks.read();
        CHECK_FALSE((*records)->start().ok());
    }
    disks.world.power_cycle();
    CHECK(disks.read(0b011).code() == Code::unavailable);
    CHECK(disks.started()->is_new());
    REQUIRE(disks.started()->propose({{1, 5}}).ok());
    CHECK_FALSE(disks.started()->is_new());
}

TEST_CASE("another disk's record is refused") {
    Disks disks(3, 1);
    disks.started();
    const std::string bytes = disks.disk(0).contents(kMirrorRecordFile).value();
    const auto file = disks.disk(1).open(kMirrorRecordFile, OpenMode::write);
    REQUIRE((*file)->write_at(0, as_bytes(bytes)).ok());
    CHECK(disks.read().code() == Code::conflict);
}

}  // namespace objstore
