#include "objstore/volume/volume_fixture.h"

using namespace tests;

namespace {

using Work = std::function<void(SimVolumes&, std::vector<Stored>&)>;

void keep(std::vector<Stored>& all, std::vector<Stored> more) {
    for (Stored& s : more) all.push_back(std::move(s));
}

void check_all(SimVolumes& volumes, const std::vector<Stored>& all) {
    for (const Stored& s : all) REQUIRE(volumes.read(s).code() == Code::ok);
}

// What a sealed row says is what its files have.
void check_sealed(SimVolumes& volumes) {
    for (const VolumeRow& row : volumes.catalog.rows()) {
        CAPTURE(row.id);
        REQUIRE(row.state == VolumeState::sealed);
        REQUIRE(row.length >= row.named_end);
        REQUIRE(row.payload_bytes >= row.live_bytes);
        for (int shard = 0; shard < row.geometry.shards(); ++shard) {
            const auto file = volumes.disk_of(row.id, shard).contents(shard_path(row.id, shard));
            REQUIRE(file.has_value());
            const auto footer = parse_footer(as_bytes(*file).subspan(row.length));
            REQUIRE(footer.ok());
            REQUIRE(footer->trailer.length == row.length);
        }
    }
}

// Whatever `parity` disks are lost after the crash, too.
void check_with_losses(SimVolumes& volumes, const std::vector<Stored>& all) {
    const int parity = volumes.setup.geometry.parity;
    for (int first = 0; first + parity <= volumes.setup.disks; ++first) {
        for (int i = 0; i < parity; ++i) volumes.disk(first + i).set_dead(true);
        check_all(volumes, all);
        for (int i = 0; i < parity; ++i) volumes.disk(first + i).set_dead(false);
    }
}

// Cuts power at every operation that `work` makes, and once more while that is recovered.
void try_every_crash(SimVolumes::Setup setup, const Work& work) {
    const std::uint64_t seed = test_seed();
    CAPTURE(seed);
    bool cut = true;
    for (std::uint64_t crash_at = 0; cut; ++crash_at) {
        CAPTURE(crash_at);
        setup.seed = seed + crash_at;
        SimVolumes volumes(setup);
        std::vector<Stored> all;
        volumes.world.cut_power_after(crash_at);
        work(volumes, all);
        cut = volumes.world.power_was_cut();
        volumes.store.reset();
        volumes.world.power_cycle();
        volumes.world.cut_power_after(SimRandom(setup.seed).below(40));
        (void)volumes.reopen();
        REQUIRE(volumes.power_cycle().ok());
        check_all(volumes, all);
        // Everything that was left open has been brought to its end.
        check_sealed(volumes);
        check_with_losses(volumes, all);
        volumes.clock.advance(std::chrono::minutes(1));
        keep(all, volumes.append({3000, 50'000}));
        REQUIRE(volumes.status.code() == Code::ok);
        REQUIRE(volumes.store->stop().ok());
        REQUIRE(volumes.power_cycle().ok());
        check_all(volumes, all);
    }
}

}  // namespace

TEST_CASE("appends and sealing lose nothing at any power cut") {
    try_every_crash({.disks = 3, .geometry = {2, 1}, .shard_bytes_max = 128 * kKiB},
                    [](SimVolumes& volumes, std::vector<Stored>& all) {
                        for (int i = 0; i < 4; ++i) keep(all, volumes.append({4096, 100'000, 9}));
                        (void)volumes.store->stop();
                    });
}

TEST_CASE("appends lose nothing at any power cut on six disks") {
    try_every_crash({}, [](SimVolumes& volumes, std::vector<Stored>& all) {
        for (int i = 0; i < 2; ++i) keep(all, volumes.append({4096, 30'000}));
    });
}

TEST_CASE("streams lose nothing at any power cut") {
    try_every_crash({.disks = 2, .geometry = {1, 1}, .stream_sync_bytes = 2 * kMiB},
                    [](SimVolumes& volumes, std::vector<Stored>& all) {
                        keep(all, volumes.stream(3 * kMiB + 4000, 0));
                        keep(all, volumes.append({4096}));
                        keep(all, volumes.stream(70'000, 70'000));
                        (void)volumes.store->stop();
                    });
}

TEST_CASE("an open volume of another node is left to that node") {
    SimVolumes volumes({.disks = 3, .geometry = {2, 1}});
    const auto named = volumes.append({5000});
    volumes.store.reset();
    VolumeRow row = volumes.catalog.row(named[0].extents[0].volume);
    row.node = 77;
    REQUIRE(volumes.catalog.add_volume(row).ok());
    REQUIRE(volumes.reopen().ok());
    CHECK(volumes.catalog.row(row.id).state == VolumeState::open);
    CHECK(volumes.read(named[0]).ok());
}
