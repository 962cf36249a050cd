#include "objstore/mirror/record.h"

#include <doctest/doctest.h>

#include "objstore/erasure/checksum.h"
#include "objstore/mirror/record_file.h"
#include "tests/sim/sim_disk.h"

namespace objstore {

namespace {

using tests::SimDisk;
using tests::SimFailure;
using tests::SimOperation;
using tests::SimWorld;

MirrorRecord some_record() {
    MirrorRecord record;
    record.deployment = {0x0102030405060708, 0x1112131415161718};
    record.disk = 0x22;
    record.started = 9;
    record.epoch = {8, 3};
    record.parity = 1;
    record.voters = {0x21, 0x22, 0x23};
    record.mirrors = {{0x21, 0xaa}, {0x23, 0xbb}};
    return record;
}

MirrorRecord numbered(std::uint64_t step) {
    MirrorRecord record = some_record();
    record.epoch.step = step;
    return record;
}

Result<MirrorRecord> parse(MirrorRecordBytes raw, bool sum = true) {
    if (sum) raw.crc = crc32c(std::as_bytes(std::span(&raw, 1)).first(kMirrorSlotBytes - 4));
    return parse_mirror_record(std::as_bytes(std::span(&raw, 1)));
}

}  // namespace

TEST_CASE("a record's bytes are these for ever") {
    const MirrorRecordBytes raw = to_bytes(some_record());
    const Bytes bytes = std::as_bytes(std::span(&raw, 1));
    CHECK(to_hex(bytes.first(104)) ==
          "4153484c41524d52"
          "0100000000000000"
          "000000000000000000000000000000000000000000000000"
          "08070605040302011817161514131211"
          "2200000000000000"
          "0900000000000000"
          "0800000000000000"
          "0300000000000000"
          "0300000001000000"
          "0200000000000000");
    CHECK(to_hex(bytes.subspan(104, 32)) ==
          "2100000000000000220000000000000023000000000000000000000000000000");
    CHECK(to_hex(bytes.subspan(616, 40)) ==
          "2100000000000000aa000000000000002300000000000000bb000000000000000000000000000000");
    CHECK(to_hex(bytes.subspan(4092)) == "a02414e5");
    CHECK(parse_mirror_record(bytes).value() == some_record());
    CHECK(mirror_path(0xab) == "meta/namespace-00000000000000ab.db");
}

TEST_CASE("what is no record, or a newer version's, is told apart") {
    const MirrorRecordBytes good = to_bytes(some_record());
    const auto with = [&](const auto& change) {
        MirrorRecordBytes raw = good;
        change(raw);
        return parse(raw).code();
    };
    CHECK(with([](auto&) {}) == Code::ok);
    CHECK(with([](auto& raw) { raw.magic[0] = 'a'; }) == Code::corruption);
    CHECK(with([](auto& raw) { raw.format = 2; }) == Code::unsupported);
    CHECK(with([](auto& raw) { raw.incompatible = 1; }) == Code::unsupported);
    CHECK(with([](auto& raw) { raw.read_only_compatible = 1; }) == Code::unsupported);
    CHECK(with([](auto& raw) { raw.compatible = 1; }) == Code::ok);
    CHECK(with([](auto& raw) { raw.voter_count = 0; }) == Code::corruption);
    CHECK(with([](auto& raw) { raw.voter_count = 65; }) == Code::corruption);
    CHECK(with([](auto& raw) { raw.parity = 3; }) == Code::corruption);
    CHECK(with([](auto& raw) { raw.mirror_count = 4; }) == Code::corruption);
    CHECK(with([](auto& raw) { raw.mirrors[1][0] = 0x21; }) == Code::corruption);
    CHECK(with([](auto& raw) { raw.mirrors[1][0] = 0x99; }) == Code::corruption);
    CHECK(with([](auto& raw) { raw.mirrors[1][1] = 0; }) == Code::corruption);
    CHECK(with([](auto& raw) { raw.voters[2] = 0x21; }) == Code::corruption);
    CHECK(with([](auto& raw) { raw.voters[2] = 0; }) == Code::corruption);
    CHECK(with([](auto& raw) { raw.disk = 0x99; }) == Code::corruption);
    CHECK(with([](auto& raw) { raw.epoch_start = 10; }) == Code::corruption);
    CHECK(with([](auto& raw) { raw.started = UINT64_MAX; }) == Code::corruption);
    MirrorRecordBytes rotten = good;
    rotten.reserved[7] = std::byte{1};
    CHECK(parse(rotten, false).code() == Code::corruption);
    CHECK(parse_mirror_record(Bytes()).code() == Code::corruption);
}

TEST_CASE("at every crash point a disk has the old record or the new one, or as yet none") {
    for (std::uint64_t written = 0; written < 4; ++written) {
        bool cut = true;
        for (std::uint64_t crash_at = 0; cut; ++crash_at) {
            CAPTURE(written);
            CAPTURE(crash_at);
            SimWorld world(tests::test_seed(crash_at + 1));
            SimDisk& disk = world.add_disk("d");
            bool acknowledged = false;
            {
                MirrorRecordFile file(disk);
                REQUIRE(file.read().value() == MirrorRecordFile::State::absent);
                for (std::uint64_t i = 1; i <= written; ++i) REQUIRE(file.write(numbered(i)).ok());
                world.cut_power_after(crash_at);
                acknowledged = file.write(numbered(written + 1)).ok();
            }
            cut = world.power_was_cut();
            world.power_cycle();
            MirrorRecordFile file(disk);
            const auto state = file.read();
            REQUIRE(state.ok());
            if (state.value() == MirrorRecordFile::State::absent) {
                CHECK(written == 0);
                CHECK_FALSE(acknowledged);
            } else {
                REQUIRE(state.value() == MirrorRecordFile::State::readable);
                const std::uint64_t step = file.record()->epoch.step;
                CHECK((step == written + 1 || (step == written && !acknowledged)));
            }
            REQUIRE(file.write(numbered(written + 2)).ok());
            world.power_cycle();
            MirrorRecordFile again(disk);
            REQUIRE(again.read().value() == MirrorRecordFile::State::readable);
            CHECK(again.record()->epoch.step == written + 2);
        }
    }
}

TEST_CASE("a record that only the page cache had is written again before the other slot goes") {
    SimWorld world(1);
    SimDisk& disk = world.add_disk("d");
    {
        MirrorRecordFile file(disk);
        REQUIRE(file.read().ok());
        for (std::uint64_t i = 1; i <= 3; ++i) REQUIRE(file.write(numbered(i)).ok());
        disk.fail({.operation = SimOperation::sync});
        CHECK_FALSE(file.write(numbered(4)).ok());
        // A disk that failed to write has no vote any more.
        CHECK_FALSE(file.write(numbered(5)).ok());
    }
    for (std::uint64_t crash_at = 0; crash_at < 6; ++crash_at) {
        CAPTURE(crash_at);
        MirrorRecordFile file(disk);
        REQUIRE(file.read().value() == MirrorRecordFile::State::readable);
        const std::uint64_t before = file.record()->epoch.step;
        CHECK(before >= 3);
        world.cut_power_after(crash_at);
        static_cast<void>(file.write(numbered(before + 1)));
        world.power_cycle();
    }
}

TEST_CASE("a rotten record is told, and can be replaced") {
    SimWorld world(1);
    SimDisk& disk = world.add_disk("d");
    MirrorRecordFile file(disk);
    REQUIRE(file.write(numbered(1)).ok());
    REQUIRE(file.write(numbered(2)).ok());
    disk.corrupt(kMirrorRecordFile, 4096 + 100, 1);
    MirrorRecordFile older(disk);
    REQUIRE(older.read().value() == MirrorRecordFile::State::readable);
    CHECK(older.record()->epoch.step == 1);
    disk.lose(kMirrorRecordFile, 0, 512);
    MirrorRecordFile rotten(disk);
    REQUIRE(rotten.read().value() == MirrorRecordFile::State::rotten);
    REQUIRE(rotten.write(numbered(7)).ok());
    MirrorRecordFile again(disk);
    REQUIRE(again.read().value() == MirrorRecordFile::State::readable);
    CHECK(again.record()->epoch.step == 7);
}

TEST_CASE("a newer version's slot stops the start, whatever the other one says") {
    SimWorld world(1);
    SimDisk& disk = world.add_disk("d");
    MirrorRecordFile file(disk);
    REQUIRE(file.write(numbered(1)).ok());
    REQUIRE(file.write(numbered(2)).ok());
    MirrorRecordBytes newer = to_bytes(numbered(3));
    newer.format = 2;
    newer.crc = crc32c(std::as_bytes(std::span(&newer, 1)).first(kMirrorSlotBytes - 4));
    const auto raw = disk.open(kMirrorRecordFile, OpenMode::write);
    REQUIRE((*raw)->write_at(0, std::as_bytes(std::span(&newer, 1))).ok());
    MirrorRecordFile again(disk);
    CHECK(again.read().code() == Code::unsupported);
}

}  // namespace objstore
