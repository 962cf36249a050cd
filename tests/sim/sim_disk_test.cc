#include "tests/sim/sim_disk.h"

#include <functional>
#include <set>
#include <thread>

#include <doctest/doctest.h>

#include "tests/sim/sim_clock.h"
#include "tests/sim/sim_executor.h"

namespace tests {

using objstore::as_bytes;
using objstore::Bytes;
using objstore::Code;
using objstore::File;
using objstore::OpenMode;
using objstore::Status;

namespace {

constexpr std::uint64_t kSeeds = 200;

std::unique_ptr<File> open(SimDisk& disk, std::string_view path, OpenMode mode) {
    auto file = disk.open(path, mode);
    REQUIRE(file.ok());
    return std::move(file).value();
}

// A file that is durable in name and bytes.
void put(SimDisk& disk, std::string_view path, std::string_view text) {
    const auto file = open(disk, path, OpenMode::create_new);
    REQUIRE(file->write_at(0, as_bytes(text)).ok());
    REQUIRE(file->sync().ok());
    REQUIRE(disk.sync_dir("").ok());
}

// What `look` sees after a power cycle that follows `change`, over many seeds.
std::set<std::string> outcomes(const std::function<void(SimDisk&)>& prepare,
                               const std::function<void(SimDisk&)>& change,
                               const std::function<std::string(SimDisk&)>& look) {
    std::set<std::string> seen;
    for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
        SimWorld world(seed);
        SimDisk& disk = world.add_disk("d");
        prepare(disk);
        change(disk);
        world.power_cycle();
        seen.insert(look(disk));
    }
    return seen;
}

std::string text_of(SimDisk& disk, std::string_view path) {
    return disk.contents(path).value_or("none");
}

const std::string kOldSector(kSectorBytes, 'o');
const std::string kNewSector(kSectorBytes, 'n');

}  // namespace

TEST_CASE("bytes written can be read before and after a sync") {
    SimWorld world(1);
    SimDisk& disk = world.add_disk("d");
    const auto file = open(disk, "f", OpenMode::create);
    const std::array<Bytes, 2> pieces = {as_bytes("abc"), as_bytes("def")};
    REQUIRE(file->write_at(2, pieces).ok());
    std::string found(8, 'x');
    const objstore::MutableBytes out{reinterpret_cast<std::byte*>(found.data()), found.size()};
    REQUIRE(file->read_at(0, out).ok());
    CHECK(found == std::string("\0\0abcdef", 8));
    CHECK(file->size().value() == 8);
    CHECK(file->try_read_at(0, out));
    CHECK(!file->try_read_at(1, out));
    CHECK(file->read_at(1, out).code() == Code::corruption);
    CHECK(file->read_some_at(5, out).value() == 3);
    CHECK(file->read_some_at(50, out).value() == 0);
}

TEST_CASE("what was synced, in bytes and name, is there after every power cut") {
    const auto seen = outcomes([](SimDisk&) {},
                               [](SimDisk& disk) { put(disk, "f", "synced"); },
                               [](SimDisk& disk) { return text_of(disk, "f"); });
    CHECK(seen == std::set<std::string>{"synced"});
}

TEST_CASE("a synced file whose name was not synced may be gone, never changed") {
    const auto seen = outcomes([](SimDisk&) {},
                               [](SimDisk& disk) {
                                   const auto file = open(disk, "f", OpenMode::create_new);
                                   REQUIRE(file->write_at(0, as_bytes("synced")).ok());
                                   REQUIRE(file->sync().ok());
                               },
                               [](SimDisk& disk) { return text_of(disk, "f"); });
    CHECK(seen == std::set<std::string>{"synced", "none"});
}

TEST_CASE("sectors of an unsynced write survive one by one, each whole") {
    const auto seen =
        outcomes([](SimDisk& disk) { put(disk, "f", kOldSector + kOldSector); },
                 [](SimDisk& disk) {
                     const auto file = open(disk, "f", OpenMode::write);
                     REQUIRE(file->write_at(0, as_bytes(kNewSector + kNewSector)).ok());
                 },
                 [](SimDisk& disk) { return text_of(disk, "f"); });
    CHECK(seen == std::set<std::string>{kOldSector + kOldSector,
                                        kOldSector + kNewSector,
                                        kNewSector + kOldSector,
                                        kNewSector + kNewSector});
}

TEST_CASE("a later unsynced write may survive without an earlier one") {
    const auto seen = outcomes([](SimDisk& disk) { put(disk, "f", kOldSector + kOldSector); },
                               [](SimDisk& disk) {
                                   const auto file = open(disk, "f", OpenMode::write);
                                   REQUIRE(file->write_at(0, as_bytes(kNewSector)).ok());
                                   REQUIRE(file->write_at(512, as_bytes(kNewSector)).ok());
                               },
                               [](SimDisk& disk) { return text_of(disk, "f"); });
    CHECK(seen.contains(kOldSector + kNewSector));
    CHECK(seen.contains(kNewSector + kOldSector));
}

TEST_CASE("an unsynced size may be old or new, with or without its bytes") {
    const auto seen = outcomes([](SimDisk& disk) { put(disk, "f", "old"); },
                               [](SimDisk& disk) {
                                   const auto file = open(disk, "f", OpenMode::write);
                                   REQUIRE(file->write_at(0, as_bytes("newer")).ok());
                               },
                               [](SimDisk& disk) { return text_of(disk, "f"); });
    CHECK(seen == std::set<std::string>{"old", "new", "newer", std::string("old\0\0", 5)});
}

TEST_CASE("an unsynced truncate may be undone by a power cut, a synced one never") {
    for (const bool sync : {false, true}) {
        CAPTURE(sync);
        const auto seen = outcomes([](SimDisk& disk) { put(disk, "f", kOldSector + "tail"); },
                                   [&](SimDisk& disk) {
                                       const auto file = open(disk, "f", OpenMode::write);
                                       REQUIRE(file->truncate(kSectorBytes).ok());
                                       if (sync) REQUIRE(file->sync().ok());
                                   },
                                   [](SimDisk& disk) { return text_of(disk, "f"); });
        CHECK(seen.contains(kOldSector));
        CHECK(seen.contains(kOldSector + "tail") == !sync);
    }
}

TEST_CASE("bytes cut off do not come back when the file grows again") {
    SimWorld world(1);
    SimDisk& disk = world.add_disk("d");
    put(disk, "f", "secret");
    const auto file = open(disk, "f", OpenMode::write);
    REQUIRE(file->truncate(2).ok());
    REQUIRE(file->truncate(6).ok());
    REQUIRE(file->sync().ok());
    world.power_cycle();
    CHECK(text_of(disk, "f") == std::string("se\0\0\0\0", 6));
}

TEST_CASE("a punched hole reads as zeros and the size stays") {
    SimWorld world(1);
    SimDisk& disk = world.add_disk("d");
    put(disk, "f", "abcdef");
    REQUIRE(open(disk, "f", OpenMode::write)->punch_hole(1, 2).ok());
    CHECK(text_of(disk, "f") == std::string("a\0\0def", 6));
}

TEST_CASE("an unsynced rename over a file leaves the old or the new one, whole") {
    const auto seen = outcomes(
        [](SimDisk& disk) {
            put(disk, "f", "old");
            put(disk, "staged", "new");
        },
        [](SimDisk& disk) { REQUIRE(disk.rename("staged", "f").ok()); },
        [](SimDisk& disk) { return text_of(disk, "f") + "," + text_of(disk, "staged"); });
    CHECK(seen == std::set<std::string>{"old,new", "new,none"});
}

TEST_CASE("a synced rename of an unsynced file has the name but perhaps not the bytes") {
    const auto seen = outcomes([](SimDisk& disk) { put(disk, "f", "old"); },
                               [](SimDisk& disk) {
                                   const auto file = open(disk, "staged", OpenMode::create_new);
                                   REQUIRE(file->write_at(0, as_bytes("new")).ok());
                                   REQUIRE(disk.rename("staged", "f").ok());
                                   REQUIRE(disk.sync_dir("").ok());
                               },
                               [](SimDisk& disk) { return text_of(disk, "f"); });
    CHECK(seen == std::set<std::string>{"new", "", std::string(3, '\0')});
}

TEST_CASE("unsynced changes of different names survive independently, of one name in order") {
    const auto seen = outcomes(
        [](SimDisk& disk) {
            put(disk, "a", "1");
            put(disk, "b", "2");
        },
        [](SimDisk& disk) {
            REQUIRE(disk.remove("a").ok());
            REQUIRE(disk.rename("b", "a").ok());
            REQUIRE(open(disk, "c", OpenMode::create_new)->sync().ok());
        },
        [](SimDisk& disk) {
            return text_of(disk, "a") + "," + text_of(disk, "b") + "," + text_of(disk, "c");
        });
    CHECK(seen == std::set<std::string>{
                      "1,2,none", "none,2,none", "2,none,none", "1,2,", "none,2,", "2,none,"});
}

TEST_CASE("a file made in a directory whose own name is not durable can be lost with it") {
    const auto make = [](SimDisk& disk) {
        REQUIRE(disk.make_dir("dir").ok());
        const auto file = open(disk, "dir/f", OpenMode::create_new);
        REQUIRE(file->write_at(0, as_bytes("x")).ok());
        REQUIRE(file->sync().ok());
        REQUIRE(disk.sync_dir("dir").ok());
    };
    const auto look = [](SimDisk& disk) { return text_of(disk, "dir/f"); };
    const auto nothing = [](SimDisk&) {};
    CHECK(outcomes(nothing, make, look) == std::set<std::string>{"x", "none"});
    const auto make_all = [&](SimDisk& disk) {
        make(disk);
        REQUIRE(disk.sync_dir("").ok());
    };
    CHECK(outcomes(nothing, make_all, look) == std::set<std::string>{"x"});
}

TEST_CASE("a rename into another directory is durable with the directory it leads to") {
    const auto prepare = [](SimDisk& disk) {
        REQUIRE(disk.make_dir("to").ok());
        put(disk, "f", "x");
    };
    const auto look = [](SimDisk& disk) { return text_of(disk, "f") + text_of(disk, "to/f"); };
    const auto move = [](SimDisk& disk) {
        REQUIRE(disk.rename("f", "to/f").ok());
        REQUIRE(disk.sync_dir("to").ok());
    };
    CHECK(outcomes(prepare, move, look) == std::set<std::string>{"nonex"});
}

TEST_CASE("the operation after the armed number fails, and all later ones until a power cycle") {
    SimWorld world(3);
    SimDisk& disk = world.add_disk("d");
    SimDisk& other = world.add_disk("e");
    const auto file = open(disk, "f", OpenMode::create);
    world.cut_power_after(2);
    CHECK(file->write_at(0, as_bytes("a")).ok());
    CHECK(other.make_dir("x").ok());
    CHECK(!world.power_was_cut());
    CHECK(file->sync().code() == Code::io_error);
    CHECK(world.power_was_cut());
    CHECK(file->write_at(0, as_bytes("b")).message() == "d/f: power is off");
    CHECK(other.list("").code() == Code::io_error);
    CHECK(disk.open("f", OpenMode::read).code() == Code::io_error);
    world.power_cycle();
    CHECK(disk.list("").ok());
    std::array<std::byte, 1> out;
    CHECK(file->read_at(0, out).code() == Code::io_error);
    CHECK(file->sync().code() == Code::io_error);
}

TEST_CASE("every operation that changes something is counted, reads are not") {
    SimWorld world(1);
    SimDisk& disk = world.add_disk("d");
    REQUIRE(disk.make_dir("dir").ok());
    const auto file = open(disk, "dir/f", OpenMode::create);
    REQUIRE(file->write_at(0, as_bytes("abc")).ok());
    REQUIRE(file->allocate(0, 10).ok());
    REQUIRE(file->truncate(2).ok());
    REQUIRE(file->punch_hole(0, 1).ok());
    REQUIRE(file->sync().ok());
    REQUIRE(disk.rename("dir/f", "dir/g").ok());
    REQUIRE(disk.remove("dir/g").ok());
    REQUIRE(disk.sync_dir("dir").ok());
    CHECK(world.operation_count() == 10);
    REQUIRE(disk.list("").ok());
    REQUIRE(file->size().ok());
    CHECK(world.operation_count() == 10);
    CHECK(disk.count(SimOperation::create) == 2);
    CHECK(disk.count(SimOperation::sync) == 1);
    CHECK(disk.bytes_written() == 3);
}

TEST_CASE("the operation that meets the cut may have been done, in whole, in part or not") {
    std::set<std::string> seen;
    for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
        SimWorld world(seed);
        SimDisk& disk = world.add_disk("d");
        put(disk, "f", kOldSector + kOldSector);
        const auto file = open(disk, "f", OpenMode::write);
        world.cut_power_after(0);
        CHECK(!file->write_at(0, as_bytes(kNewSector + kNewSector)).ok());
        world.power_cycle();
        seen.insert(text_of(disk, "f"));
    }
    CHECK(seen.size() == 4);
}

TEST_CASE("the same seed gives the same outcome") {
    const auto run = [](std::uint64_t seed) {
        SimWorld world(seed);
        SimDisk& disk = world.add_disk("d");
        put(disk, "f", std::string(64 * kSectorBytes, 'o'));
        const auto file = open(disk, "f", OpenMode::write);
        REQUIRE(file->write_at(0, as_bytes(std::string(64 * kSectorBytes, 'n'))).ok());
        world.power_cycle();
        return text_of(disk, "f");
    };
    std::set<std::string> different;
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        CHECK(run(seed) == run(seed));
        different.insert(run(seed));
    }
    CHECK(different.size() > 5);
}

TEST_CASE("a fault hits the operation it was set for and no other") {
    SimWorld world(1);
    SimDisk& disk = world.add_disk("d");
    const auto file = open(disk, "f", OpenMode::create);
    const auto other = open(disk, "g", OpenMode::create);
    disk.fail({.operation = SimOperation::write,
               .failure = SimFailure::no_space,
               .after = 1,
               .path = "f"});
    CHECK(file->write_at(0, as_bytes("1")).ok());
    CHECK(other->write_at(0, as_bytes("2")).ok());
    CHECK(file->write_at(0, as_bytes("3")).code() == Code::no_space);
    CHECK(file->write_at(0, as_bytes("4")).ok());
    CHECK(text_of(disk, "f") == "4");
    disk.fail({.operation = SimOperation::read, .times = SimFault::kAlways});
    std::array<std::byte, 1> out;
    CHECK(file->read_at(0, out).code() == Code::io_error);
    CHECK(other->read_at(0, out).code() == Code::io_error);
    disk.clear_faults();
    CHECK(file->read_at(0, out).ok());
}

TEST_CASE("a short write leaves a true part of itself") {
    std::set<std::string> seen;
    for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
        SimWorld world(seed);
        SimDisk& disk = world.add_disk("d");
        const auto file = open(disk, "f", OpenMode::create);
        disk.fail({.operation = SimOperation::write, .failure = SimFailure::short_write});
        CHECK(file->write_at(0, as_bytes("abc")).code() == Code::io_error);
        seen.insert(text_of(disk, "f"));
    }
    CHECK(seen == std::set<std::string>{"", "a", "ab"});
}

TEST_CASE("after a failed sync a later one answers ok and yet bytes are lost") {
    std::set<std::string> seen;
    for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
        SimWorld world(seed);
        SimDisk& disk = world.add_disk("d");
        put(disk, "f", "old");
        const auto file = open(disk, "f", OpenMode::write);
        REQUIRE(file->write_at(0, as_bytes("new")).ok());
        disk.fail({.operation = SimOperation::sync});
        CHECK(file->sync().code() == Code::io_error);
        CHECK(text_of(disk, "f") == "new");
        CHECK(file->sync().ok());
        world.power_cycle();
        seen.insert(text_of(disk, "f"));
    }
    CHECK(seen == std::set<std::string>{"old", "new"});
}

TEST_CASE("a swallowed write or sync answers ok and does nothing") {
    SimWorld world(1);
    SimDisk& disk = world.add_disk("d");
    put(disk, "f", "old");
    const auto file = open(disk, "f", OpenMode::write);
    disk.fail({.operation = SimOperation::write, .failure = SimFailure::swallowed});
    CHECK(file->write_at(0, as_bytes("new")).ok());
    CHECK(text_of(disk, "f") == "old");
    disk.fail({.operation = SimOperation::sync, .failure = SimFailure::swallowed});
    REQUIRE(file->write_at(0, as_bytes("new")).ok());
    CHECK(file->sync().ok());
    CHECK(!disk.is_synced("f"));
}

TEST_CASE("a dead disk fails everything until it lives again") {
    SimWorld world(1);
    SimDisk& disk = world.add_disk("d");
    const auto file = open(disk, "f", OpenMode::create);
    disk.set_dead(true);
    std::array<std::byte, 1> out;
    CHECK(file->write_at(0, as_bytes("a")).code() == Code::io_error);
    CHECK(file->read_some_at(0, out).code() == Code::io_error);
    CHECK(!file->try_read_at(0, out));
    CHECK(file->size().code() == Code::io_error);
    CHECK(disk.open("f", OpenMode::read).code() == Code::io_error);
    CHECK(disk.space().code() == Code::io_error);
    disk.set_dead(false);
    CHECK(file->write_at(0, as_bytes("a")).ok());
}

TEST_CASE("a replaced disk is empty and files of the old one are unusable") {
    SimWorld world(1);
    SimDisk& disk = world.add_disk("d");
    put(disk, "f", "x");
    const auto file = open(disk, "f", OpenMode::read);
    disk.replace();
    CHECK(disk.list("").value().empty());
    CHECK(file->size().code() == Code::io_error);
}

TEST_CASE("rot and stray writes change what reads see and outlive power cuts") {
    SimWorld world(1);
    SimDisk& disk = world.add_disk("d");
    put(disk, "f", "abcdefgh");
    disk.misplace("f", {.from = 0, .to = 6, .length = 2});
    CHECK(text_of(disk, "f") == "abcdefab");
    disk.corrupt("f", 2, 3);
    world.power_cycle();
    const std::string found = text_of(disk, "f");
    CHECK(found.substr(0, 2) == "ab");
    CHECK(found.substr(5) == "fab");
    for (const std::size_t at : {2U, 3U, 4U}) CHECK(found[at] != "abcdefab"[at]);
}

TEST_CASE("a lost sector can not be read until it is written, those beside it can") {
    SimWorld world(test_seed());
    SimDisk& disk = world.add_disk("d");
    const auto file = disk.open("f", OpenMode::create_new).value();
    REQUIRE(file->write_at(0, as_bytes(std::string(4096, 'x'))).ok());
    disk.lose("f", 1024, 512);
    std::array<std::byte, 1024> out;
    CHECK(file->read_at(0, out).ok());
    CHECK(file->read_at(1536, out).ok());
    CHECK(file->read_at(600, out).code() == Code::io_error);
    CHECK(file->read_at(1535, out).code() == Code::io_error);
    REQUIRE(file->write_at(1024, as_bytes(std::string(512, 'y'))).ok());
    CHECK(file->read_at(1024, out).ok());
}

TEST_CASE("a disk with a capacity runs full") {
    SimWorld world(1);
    SimDisk& disk = world.add_disk("d");
    disk.set_capacity(1000);
    const auto file = open(disk, "f", OpenMode::create);
    CHECK(file->write_at(0, as_bytes(std::string(900, 'x'))).ok());
    CHECK(file->write_at(900, as_bytes(std::string(200, 'x'))).code() == Code::no_space);
    CHECK(file->allocate(0, 2000).code() == Code::no_space);
    CHECK(file->write_at(0, as_bytes(std::string(900, 'y'))).ok());
    CHECK(disk.space().value().free_bytes == 100);
}

TEST_CASE("names follow the rules of a disk") {
    SimWorld world(1);
    SimDisk& disk = world.add_disk("d");
    put(disk, "f", "x");
    REQUIRE(disk.make_dir("dir").ok());
    CHECK(disk.make_dir("dir").ok());
    CHECK(disk.make_dir("f").code() == Code::already_exists);
    CHECK(disk.open("f", OpenMode::create_new).code() == Code::already_exists);
    CHECK(disk.open("none", OpenMode::read).code() == Code::not_found);
    CHECK(disk.open("none/f", OpenMode::create).code() == Code::not_found);
    CHECK(disk.open("../f", OpenMode::read).code() == Code::invalid_argument);
    CHECK(disk.open("/f", OpenMode::read).code() == Code::invalid_argument);
    CHECK(disk.remove("none").code() == Code::not_found);
    REQUIRE(disk.rename("f", "dir/f").ok());
    CHECK(disk.remove("dir").code() == Code::conflict);
    CHECK(disk.rename("dir", "dir/sub").code() == Code::invalid_argument);
    CHECK(disk.list("").value() == std::vector<std::string>{"dir/"});
    REQUIRE(disk.remove("dir/f").ok());
    CHECK(disk.remove("dir").ok());
}

TEST_CASE("a file that was removed can be read and written while it is open") {
    SimWorld world(1);
    SimDisk& disk = world.add_disk("d");
    put(disk, "f", "x");
    const auto file = open(disk, "f", OpenMode::write);
    REQUIRE(disk.remove("f").ok());
    REQUIRE(file->write_at(0, as_bytes("y")).ok());
    CHECK(file->sync().ok());
    CHECK(!disk.contents("f").has_value());
}

TEST_CASE("disks can be used by many threads at once") {
    SimWorld world(1);
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        SimDisk& disk = world.add_disk("d" + std::to_string(i));
        threads.emplace_back([&disk] {
            const auto file = disk.open("f", OpenMode::create);
            for (std::uint64_t n = 0; n < 200; ++n) {
                (void)file.value()->write_at(n, as_bytes("x"));
                (void)file.value()->sync();
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(world.operation_count() == 4 * 401);
}

TEST_CASE("simulated time moves only when told") {
    SimClock clock(1000);
    const auto steady = clock.steady();
    CHECK(clock.now() == 1000);
    clock.advance(std::chrono::nanoseconds(5));
    CHECK(clock.now() == 1005);
    clock.set_now(1);
    CHECK(clock.now() == 1);
    CHECK(clock.steady() - steady == std::chrono::nanoseconds(5));
}

TEST_CASE("the executor of a seed runs each piece once, in that seed's order") {
    std::set<std::vector<std::size_t>> orders;
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        std::vector<std::size_t> order;
        SimExecutor(seed).for_each(4, [&](std::size_t i) { order.push_back(i); });
        CHECK(std::set<std::size_t>(order.begin(), order.end()).size() == 4);
        orders.insert(order);
    }
    CHECK(orders.size() > 5);
}

}  // namespace tests
