#include "objstore/disk/label.h"

#include <doctest/doctest.h>

#include "objstore/erasure/checksum.h"
#include "tests/sim/sim_disk.h"

namespace objstore {

namespace {

using tests::SimWorld;

DiskLabel example() {
    DiskLabel label;
    label.features = {1, 2, 0};
    label.deployment = {0x1112131415161718, 0x2122232425262728};
    label.index = 1;
    label.created = 1'700'000'000'123'456'789;
    label.sequence = 0x5152535455565758;
    label.disks = {{0x3132333435363738, 0x6162636465666768, "/mnt/a"},
                   {0x4142434445464748, 0x7172737475767778, ""}};
    return label;
}

Bytes bytes_of(const DiskLabelBytes& raw) {
    return std::as_bytes(std::span(&raw, 1));
}

DiskLabelBytes with_crc(DiskLabelBytes raw) {
    raw.crc = crc32c(bytes_of(raw).first(kLabelBytes - 4));
    return raw;
}

}  // namespace

TEST_CASE("the label is fixed to the byte") {
    const DiskLabelBytes raw = to_bytes(example());
    const std::string hex = to_hex(bytes_of(raw));
    const std::string start =
        "4153484c4152444b"  // ASHLARDK
        "01000000"
        "02000000"
        "0100000000000000"
        "0200000000000000"
        "0000000000000000"
        "1817161514131211"
        "2827262524232221"
        "4847464544434241"
        "01000000"
        "00000000"
        "15cd853dfe9c9717"
        "5857565554535251";
    const std::string disks =
        "3837363534333231"
        "6867666564636261"
        "06000000"
        "00000000" +
        to_hex(as_bytes(std::string("/mnt/a"))) + std::string(2 * 226, '0') +
        "4847464544434241"
        "7877767574737271";
    CHECK(hex.substr(0, start.size()) == start);
    CHECK(hex.substr(512, disks.size()) == disks);
    const std::size_t zeros_end = 2 * (kLabelBytes - 4);
    const auto is_zero = [&](std::size_t from, std::size_t to) {
        return hex.substr(from, to - from).find_first_not_of('0') == std::string::npos;
    };
    CHECK(is_zero(start.size(), 512));
    CHECK(is_zero(512 + disks.size(), zeros_end));
    CHECK(hex.substr(zeros_end) == "aefe89df");
}

TEST_CASE("a label is read back as it was written") {
    CHECK(parse_label(bytes_of(to_bytes(example()))).value() == example());
    DiskLabel largest = example();
    while (largest.disks.size() < kLabelDisksMax) {
        const std::uint64_t count = largest.disks.size();
        largest.disks.push_back({count, count, std::string(kLabelPathBytesMax, 'p')});
    }
    largest.index = kLabelDisksMax - 1;
    CHECK(parse_label(bytes_of(to_bytes(largest))).value() == largest);
}

TEST_CASE("of a long path the end is kept, and nothing that a terminal would obey") {
    DiskLabel label = example();
    label.disks[0].path = std::string(300, 'a') + std::string(229, 'b') + "/\x1b[";
    const DiskLabel found = parse_label(bytes_of(to_bytes(label))).value();
    const std::string kept = std::string(229, 'b') + "/?[";
    CHECK(found.disks[0].path == kept);
    CHECK(describe(found.disks[1]) == "a disk (8174723217 GB, id 4142434445464748)");
}

TEST_CASE("any changed byte of a label is corruption") {
    for (std::size_t at = 0; at < kLabelBytes; at += at < 1000 ? 1 : 37) {
        CAPTURE(at);
        DiskLabelBytes raw = to_bytes(example());
        reinterpret_cast<std::byte*>(&raw)[at] ^= std::byte{4};
        REQUIRE(parse_label(bytes_of(raw)).code() == Code::corruption);
    }
}

TEST_CASE("a label of another length is corruption") {
    const DiskLabelBytes raw = to_bytes(example());
    CHECK(parse_label({}).code() == Code::corruption);
    CHECK(parse_label(bytes_of(raw).first(kLabelBytes - 1)).code() == Code::corruption);
}

TEST_CASE("a newer format and unknown incompatible features are unsupported, others are not") {
    DiskLabelBytes raw = to_bytes(example());
    raw.format = 2;
    CHECK(parse_label(bytes_of(with_crc(raw))).code() == Code::unsupported);
    raw = to_bytes(example());
    raw.incompatible = 1;
    CHECK(parse_label(bytes_of(with_crc(raw))).code() == Code::unsupported);
    raw = to_bytes(example());
    raw.compatible = raw.read_only_compatible = ~std::uint64_t{0};
    CHECK(parse_label(bytes_of(with_crc(raw))).ok());
}

TEST_CASE("a label whose checksum is right and whose disks make no sense is corruption") {
    const auto code_after = [](auto change) {
        DiskLabelBytes raw = to_bytes(example());
        change(raw);
        return parse_label(bytes_of(with_crc(raw))).code();
    };
    CHECK(code_after([](auto& raw) { raw.disk_count = 0; }) == Code::corruption);
    CHECK(code_after([](auto& raw) { raw.disk_count = 65; }) == Code::corruption);
    CHECK(code_after([](auto& raw) { raw.disk_count = ~0U; }) == Code::corruption);
    CHECK(code_after([](auto& raw) { raw.disk_index = 2; }) == Code::corruption);
    CHECK(code_after([](auto& raw) { raw.disks[0].id = raw.disk_id; }) == Code::corruption);
    CHECK(code_after([](auto& raw) { raw.disk_id = 5; }) == Code::corruption);
    CHECK(code_after([](auto& raw) { raw.disks[0].path_bytes = 233; }) == Code::corruption);
}

TEST_CASE("a disk without a label has none, one with bytes missing or to spare is corrupt") {
    SimWorld world(1);
    auto& disk = world.add_disk("d");
    CHECK(!read_label(disk).value().has_value());
    REQUIRE(write_label(disk, example()).ok());
    CHECK(read_label(disk).value() == example());
    const auto file = disk.open(kLabelFile, OpenMode::write).value();
    REQUIRE(file->truncate(kLabelBytes + 1).ok());
    CHECK(read_label(disk).code() == Code::corruption);
    REQUIRE(file->truncate(100).ok());
    const Status error = read_label(disk).error();
    CHECK(error.code() == Code::corruption);
    CHECK(error.message() == "d/ashlar.disk: the label has 100 bytes instead of 20480");
}

TEST_CASE("replacing a label is all or nothing at every crash point") {
    DiskLabel changed = example();
    changed.features.compatible = 77;
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        bool cut = true;
        for (std::uint64_t crash_at = 0; cut; ++crash_at) {
            CAPTURE(seed);
            CAPTURE(crash_at);
            SimWorld world(seed);
            auto& disk = world.add_disk("d");
            REQUIRE(write_label(disk, example()).ok());
            world.cut_power_after(crash_at);
            const bool acknowledged = write_label(disk, changed).ok();
            cut = world.power_was_cut();
            world.power_cycle();
            const auto found = read_label(disk);
            REQUIRE(found.ok());
            REQUIRE((found.value() == changed || (!acknowledged && found.value() == example())));
        }
    }
}

}  // namespace objstore
