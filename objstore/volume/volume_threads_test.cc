#include <atomic>
#include <thread>

#include "objstore/volume/deferred.h"
#include "objstore/volume/file_cache.h"
#include "objstore/volume/volume_fixture.h"

using namespace tests;

namespace {

// What all threads have stored and named.
using Shelf = Guarded<std::vector<Stored>>;

Status store_one(SimVolumes& volumes, Shelf& shelf, std::uint64_t seed) {
    SimRandom random(seed);
    Stored stored{some_bytes(1 + random.below(random.percent(10) ? 3'000'000 : 40'000), seed), {}};
    if (random.percent(20)) {
        TRY_ASSIGN(
            const auto stream,
            volumes.store->open_stream({seed, 1, 0}, random.percent(50) ? stored.bytes.size() : 0));
        TRY(stream->write(as_bytes(stored.bytes)));
        TRY_ASSIGN(stored.extents, stream->finish());
    } else {
        const Piece piece{{seed, 1, 0}, as_bytes(stored.bytes)};
        TRY_ASSIGN(auto extents, volumes.store->append({&piece, 1}));
        stored.extents = std::move(extents[0]);
    }
    volumes.catalog.name(stored.extents);
    shelf.with([&](auto& all) { all.push_back(std::move(stored)); });
    return {};
}

Status read_one(SimVolumes& volumes, Shelf& shelf, std::uint64_t seed) {
    SimRandom random(seed);
    const auto stored = shelf.with(
        [&](auto& all) { return all.empty() ? Stored() : all[random.below(all.size())]; });
    for (const Extent& e : stored.extents) {
        std::string bytes(e.length, '?');
        if (volumes.store->try_read(e, 0, writable(bytes)) &&
            bytes != stored.bytes.substr(e.logical_offset, e.length)) {
            return Status::corruption("try_read gave wrong bytes");
        }
    }
    return volumes.read(stored);
}

void check_all(SimVolumes& volumes, Shelf& shelf) {
    shelf.with([&](auto& all) {
        for (const Stored& s : all) CHECK(volumes.read(s).code() == Code::ok);
    });
}

}  // namespace

TEST_CASE("threads append, stream and read at once while a disk dies and comes back") {
    ThreadPool pool({.threads = 4, .queue_max = 64});
    Shelf shelf;
    {
        SimVolumes volumes({.shard_bytes_max = 2 * kMiB,
                            .allocate_bytes = 256 * kKiB,
                            .stream_sync_bytes = 512 * kKiB,
                            .open_files_max = 20,
                            .executor = &pool});
        std::atomic<int> stored = 0;
        std::vector<std::thread> threads;
        for (std::uint64_t t = 0; t < 4; ++t) {
            threads.emplace_back([&, t] {
                for (std::uint64_t i = 0; i < 25; ++i) {
                    const std::uint64_t seed = 1000 * t + i;
                    if (t == 0 && i == 8) volumes.disk(2).set_dead(true);
                    if (t == 0 && i == 16) volumes.disk(2).set_dead(false);
                    if (store_one(volumes, shelf, seed).ok()) ++stored;
                    CHECK(read_one(volumes, shelf, seed).code() == Code::ok);
                    volumes.clock.advance(std::chrono::seconds(1));
                }
            });
        }
        for (auto& thread : threads) thread.join();
        CHECK(stored == 100);
        check_all(volumes, shelf);
        CHECK(volumes.store->stop().ok());
        REQUIRE(volumes.power_cycle().ok());
        check_all(volumes, shelf);
    }
    pool.stop();
}

TEST_CASE("threads lose nothing when power is cut under them") {
    for (std::uint64_t round = 0; round < 6; ++round) {
        ThreadPool pool({.threads = 3, .queue_max = 64});
        Shelf shelf;
        {
            SimVolumes volumes({.disks = 3,
                                .geometry = {2, 1},
                                .seed = round + 1,
                                .shard_bytes_max = kMiB,
                                .stream_sync_bytes = 512 * kKiB,
                                .executor = &pool});
            volumes.world.cut_power_after(20 + 150 * round);
            std::vector<std::thread> threads;
            for (std::uint64_t t = 0; t < 3; ++t) {
                threads.emplace_back([&, t] {
                    std::uint64_t seed = 1000 * t;
                    while (store_one(volumes, shelf, ++seed).ok()) {
                    }
                });
            }
            for (auto& thread : threads) thread.join();
            REQUIRE(volumes.power_cycle().ok());
            check_all(volumes, shelf);
        }
        pool.stop();
    }
}

TEST_CASE("a stop while threads store leaves every acknowledged byte and seals all") {
    ThreadPool pool({.threads = 3, .queue_max = 64});
    Shelf shelf;
    {
        SimVolumes volumes({.disks = 3, .geometry = {2, 1}, .executor = &pool});
        std::vector<std::thread> threads;
        for (std::uint64_t t = 0; t < 3; ++t) {
            threads.emplace_back([&, t] {
                std::uint64_t seed = 1000 * t;
                while (store_one(volumes, shelf, ++seed).code() == Code::ok) {
                }
            });
        }
        while (shelf.with([](auto& all) { return all.size(); }) < 20) std::this_thread::yield();
        CHECK(volumes.store->stop().ok());
        for (auto& thread : threads) thread.join();
        for (const VolumeRow& row : volumes.catalog.rows()) {
            CHECK(row.state == VolumeState::sealed);
        }
        REQUIRE(volumes.power_cycle().ok());
        check_all(volumes, shelf);
    }
    pool.stop();
}

TEST_CASE("work handed to busy threads is done by who waits for it") {
    ThreadPool pool({.threads = 1, .queue_max = 8});
    std::atomic<bool> hold = true;
    Deferred blocker(pool, [&] {
        while (hold) std::this_thread::yield();
    });
    int done = 0;
    Deferred work(pool, [&] { ++done; });
    work.wait();
    CHECK(done == 1);
    CHECK(work.done());
    hold = false;
    blocker.wait();
    pool.stop();
    CHECK(done == 1);
}

TEST_CASE("a full queue does the work at once") {
    ThreadPool pool({.threads = 1, .queue_max = 8});
    pool.stop();
    int done = 0;
    Background background(pool);
    background.run([&] { ++done; });
    CHECK(done == 1);
}

TEST_CASE("threads share a few slots for many files") {
    SimWorld world(1);
    SimDisk& disk = world.add_disk("d");
    constexpr std::size_t kFiles = 12;
    for (std::size_t i = 0; i < kFiles; ++i) {
        const auto file = disk.open(std::to_string(i), OpenMode::create_new);
        REQUIRE((*file)->write_at(0, as_bytes(std::string(8, static_cast<char>('a' + i)))).ok());
    }
    FileCache cache(3);
    std::vector<FileSlot> slots(kFiles);
    std::vector<std::thread> threads;
    std::atomic<int> wrong = 0;
    for (std::uint64_t t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            SimRandom random(t);
            for (int i = 0; i < 2000; ++i) {
                const std::size_t index = random.below(kFiles);
                auto file = cache.acquire(
                    slots[index], [&] { return disk.open(std::to_string(index), OpenMode::read); });
                std::string bytes(8, '?');
                if (!file.ok() || !(*file)->read_at(0, writable(bytes)).ok() ||
                    bytes != std::string(8, static_cast<char>('a' + index))) {
                    ++wrong;
                }
            }
        });
    }
    for (auto& thread : threads) thread.join();
    CHECK(wrong == 0);
    CHECK(cache.open_count() <= 3 + 4);
}
