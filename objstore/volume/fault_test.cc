#include "objstore/volume/volume_fixture.h"

using namespace tests;

namespace {

constexpr SimOperation kChanges[] = {SimOperation::write,
                                     SimOperation::sync,
                                     SimOperation::truncate,
                                     SimOperation::allocate,
                                     SimOperation::create,
                                     SimOperation::sync_dir};
constexpr SimFailure kFailures[] = {
    SimFailure::io_error, SimFailure::no_space, SimFailure::short_write};

void keep(std::vector<Stored>& all, std::vector<Stored> more) {
    for (Stored& s : more) all.push_back(std::move(s));
}

void check_all(SimVolumes& volumes, const std::vector<Stored>& all) {
    for (const Stored& s : all) REQUIRE(volumes.read(s).code() == Code::ok);
}

using Work = std::function<void(SimVolumes&, std::vector<Stored>&)>;

// Lets each operation of each kind on one disk fail, once or from then on. All work must succeed on
// the other disks, and survive a power cut.
void try_every_fault(const SimVolumes::Setup& setup, std::uint64_t times, const Work& work) {
    for (const SimOperation operation : kChanges) {
        for (const SimFailure failure : kFailures) {
            bool hit = true;
            for (std::uint64_t after = 0; hit; ++after) {
                CAPTURE(static_cast<int>(operation));
                CAPTURE(static_cast<int>(failure));
                CAPTURE(after);
                SimVolumes volumes(setup);
                const std::uint64_t before = volumes.disk(0).count(operation);
                volumes.disk(0).fail(
                    {.operation = operation, .failure = failure, .after = after, .times = times});
                std::vector<Stored> all;
                work(volumes, all);
                hit = volumes.disk(0).count(operation) > before + after;
                check_all(volumes, all);
                volumes.disk(0).clear_faults();
                REQUIRE(volumes.power_cycle().ok());
                check_all(volumes, all);
            }
        }
    }
}

}  // namespace

TEST_CASE("a disk that fails any operation costs no append") {
    const Work work = [](SimVolumes& volumes, std::vector<Stored>& all) {
        for (int i = 0; i < 5; ++i) {
            keep(all, volumes.append({4096, 70'000}));
            REQUIRE(volumes.status.code() == Code::ok);
        }
        (void)volumes.store->stop();
    };
    const SimVolumes::Setup setup{.disks = 3, .geometry = {2, 1}, .shard_bytes_max = 128 * kKiB};
    try_every_fault(setup, 1, work);
    try_every_fault(setup, SimFault::kAlways, work);
}

TEST_CASE("a disk that fails any operation costs no stream") {
    const Work work = [](SimVolumes& volumes, std::vector<Stored>& all) {
        keep(all, volumes.stream(7 * kMiB + 100, 0));
        REQUIRE(volumes.status.code() == Code::ok);
        keep(all, volumes.stream(200'000, 200'000));
        REQUIRE(volumes.status.code() == Code::ok);
        (void)volumes.store->stop();
    };
    const SimVolumes::Setup setup{.disks = 3,
                                  .geometry = {2, 1},
                                  .shard_bytes_max = 3 * kMiB,
                                  .allocate_bytes = kMiB,
                                  .stream_sync_bytes = 4 * kMiB};
    try_every_fault(setup, 1, work);
    try_every_fault(setup, SimFault::kAlways, work);
}

TEST_CASE("a failed write ends the volume, and a narrower one takes over until the disk is well") {
    SimVolumes volumes({});
    const auto first = volumes.append({5000});
    SimDisk& bad = volumes.disk_of(first[0].extents[0].volume, 3);
    bad.set_dead(true);
    const auto second = volumes.append({5000});
    REQUIRE(second.size() == 1);
    const VolumeRow failed = volumes.catalog.row(first[0].extents[0].volume);
    CHECK(failed.state == VolumeState::open);  // until the disk has its footer too
    const VolumeRow narrow = volumes.catalog.row(second[0].extents[0].volume);
    CHECK(narrow.geometry == Geometry{3, 2});
    int out = 0;
    for (const auto& d : volumes.store->health()) out += d.failed ? 1 : 0;
    CHECK(out == 1);
    bad.set_dead(false);
    CHECK(volumes.append({100})[0].extents[0].volume == narrow.id);
    volumes.clock.advance(std::chrono::seconds(31));
    const auto third = volumes.append({100});
    CHECK(volumes.catalog.row(third[0].extents[0].volume).geometry == Geometry{4, 2});
    for (const auto& d : volumes.store->health()) CHECK_FALSE(d.failed);
    check_all(volumes, first);
    check_all(volumes, second);
}

TEST_CASE("writes stop below parity + 1 disks, and go on when disks come back") {
    SimVolumes volumes({});
    std::vector<Stored> all = volumes.append({5000, 100'000});
    for (int i = 0; i < 3; ++i) volumes.disk(i).set_dead(true);
    keep(all, volumes.append({6000}));
    REQUIRE(volumes.status.code() == Code::ok);
    CHECK(volumes.catalog.row(all.back().extents[0].volume).geometry == Geometry{1, 2});
    volumes.disk(3).set_dead(true);
    CHECK(volumes.append({6000}).empty());
    CHECK(volumes.status.code() == Code::unavailable);
    CHECK(volumes.stream(6000, 0).empty());
    CHECK(volumes.status.code() == Code::unavailable);
    for (int i = 0; i < 4; ++i) volumes.disk(i).set_dead(false);
    volumes.clock.advance(std::chrono::seconds(1));
    keep(all, volumes.append({6000}));
    CHECK(volumes.status.code() == Code::ok);
    CHECK(volumes.catalog.row(all.back().extents[0].volume).geometry == Geometry{4, 2});
    check_all(volumes, all);
}

TEST_CASE("the only disk is tried at once when a write has failed, and then once a second") {
    SimVolumes volumes({.disks = 1, .geometry = {1, 0}});
    std::vector<Stored> all = volumes.append({5000});
    SimDisk& disk = volumes.disk(0);
    disk.fail({.operation = SimOperation::sync});
    keep(all, volumes.append({5000}));
    REQUIRE(volumes.status.code() == Code::ok);
    disk.set_dead(true);
    CHECK(volumes.append({5000}).empty());
    CHECK(volumes.status.code() == Code::unavailable);
    disk.set_dead(false);
    // As many writes as there may be, none of them writes to a disk that has just failed its trial.
    const std::uint64_t written = disk.bytes_written();
    for (int i = 0; i < 10; ++i) CHECK(volumes.append({5000}).empty());
    CHECK(disk.bytes_written() == written);
    volumes.clock.advance(std::chrono::seconds(1));
    keep(all, volumes.append({5000}));
    CHECK(volumes.status.code() == Code::ok);
    check_all(volumes, all);
}

TEST_CASE("a failed sync on the only disk acknowledges nothing") {
    SimVolumes volumes({.disks = 1, .geometry = {1, 0}});
    std::vector<Stored> all = volumes.append({5000});
    volumes.disk(0).fail({.operation = SimOperation::sync, .times = SimFault::kAlways});
    CHECK(volumes.append({5000}).empty());
    CHECK(volumes.append({5000}).empty());
    CHECK(volumes.status.code() == Code::unavailable);
    volumes.disk(0).clear_faults();
    volumes.clock.advance(std::chrono::seconds(1));
    keep(all, volumes.append({5000}));
    REQUIRE(volumes.status.code() == Code::ok);
    CHECK(all[1].extents[0].volume != all[0].extents[0].volume);
    REQUIRE(volumes.power_cycle().ok());
    check_all(volumes, all);
}

TEST_CASE("full disks are told before anything is stored, and used again when there is room") {
    SimVolumes volumes({.disks = 3, .geometry = {2, 1}});
    for (int i = 0; i < 3; ++i) volumes.disk(i).set_capacity(2 * kMiB);
    std::vector<Stored> all;
    while (volumes.status.ok()) {
        keep(all, volumes.append({100'000}));
        REQUIRE(all.size() < 100);
        volumes.clock.advance(std::chrono::milliseconds(1));
    }
    CHECK(volumes.status.code() == Code::no_space);
    CHECK(all.size() > 25);
    CHECK(volumes.stream(500'000, 0).empty());
    CHECK(volumes.status.code() == Code::no_space);
    std::uint64_t written = 0;
    for (int i = 0; i < 3; ++i) written += volumes.disk(i).bytes_written();
    CHECK(volumes.append({100'000}).empty());
    std::uint64_t written_after = 0;
    for (int i = 0; i < 3; ++i) written_after += volumes.disk(i).bytes_written();
    CHECK(written_after == written);
    check_all(volumes, all);
    for (const auto& d : volumes.store->health()) {
        CHECK(d.full);
        CHECK_FALSE(d.failed);
        CHECK(d.write_errors == 0);
    }
    for (int i = 0; i < 3; ++i) volumes.disk(i).set_capacity(20 * kMiB);
    volumes.clock.advance(std::chrono::seconds(2));
    keep(all, volumes.append({100'000}));
    CHECK(volumes.status.code() == Code::ok);
    check_all(volumes, all);
}

TEST_CASE("one full disk is left out") {
    SimVolumes volumes({});
    volumes.disk(4).set_capacity(200 * kKiB);
    std::vector<Stored> all;
    for (int i = 0; i < 20; ++i) {
        keep(all, volumes.append({100'000}));
        REQUIRE(volumes.status.code() == Code::ok);
    }
    CHECK(volumes.catalog.row(all.back().extents[0].volume).geometry == Geometry{3, 2});
    check_all(volumes, all);
    CHECK(volumes.store->stop().ok());
    check_all(volumes, all);
}

TEST_CASE("a disk that was emptied while in use gets no new volumes") {
    SimVolumes volumes({.disks = 3, .geometry = {2, 1}});
    std::vector<Stored> all = volumes.append({5000});
    volumes.disk(1).replace();
    keep(all, volumes.append({5000}));
    REQUIRE(volumes.status.code() == Code::ok);
    CHECK(volumes.catalog.row(all.back().extents[0].volume).geometry == Geometry{1, 1});
    volumes.clock.advance(std::chrono::minutes(2));
    keep(all, volumes.append({5000}));
    CHECK(volumes.catalog.row(all.back().extents[0].volume).geometry == Geometry{1, 1});
    CHECK(volumes.disk(1).list("")->empty());
    check_all(volumes, all);
}

TEST_CASE("a stream's bytes are rescued when a late sync fails") {
    // All but the last sync of the stream's volume on one disk succeed.
    SimVolumes volumes({.disks = 3, .geometry = {2, 1}, .stream_sync_bytes = 64 * kMiB});
    auto opened = volumes.store->open_stream({1, 1, 0}, 0);
    REQUIRE(opened.ok());
    Stored stored{some_bytes(9 * kMiB, 4), {}};
    REQUIRE((*opened)->write(as_bytes(stored.bytes)).ok());
    volumes.disk(0).fail({.operation = SimOperation::sync, .times = SimFault::kAlways});
    auto extents = (*opened)->finish();
    REQUIRE(extents.ok());
    stored.extents = std::move(extents).value();
    volumes.catalog.name(stored.extents);
    opened->reset();
    for (const Extent& e : stored.extents) {
        CHECK(volumes.catalog.row(e.volume).geometry == Geometry{1, 1});
    }
    volumes.disk(0).clear_faults();
    REQUIRE(volumes.power_cycle().ok());
    CHECK(volumes.read(stored).code() == Code::ok);
    volumes.disk(1).set_dead(true);
    CHECK(volumes.read(stored).code() == Code::ok);
}
