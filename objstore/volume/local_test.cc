#include <cstdlib>
#include <filesystem>

#include "objstore/disk/local_disk.h"
#include "objstore/volume/volume_fixture.h"

using namespace tests;

namespace {

// A store in directories of this machine, with threads.
struct LocalVolumes {
    std::string root = [] {
        std::string path = (std::filesystem::temp_directory_path() / "volumes-XXXXXX").string();
        REQUIRE(mkdtemp(path.data()) != nullptr);
        return path;
    }();
    std::vector<std::unique_ptr<LocalDisk>> disks;
    SimWorld world{1};
    FakeCatalog catalog{world};
    SystemClock clock;
    SystemRandom random;
    spdlog::logger log{"test"};
    ThreadPool pool{{.threads = 3}};
    std::unique_ptr<VolumeStore> store;

    LocalVolumes() {
        for (int i = 0; i < 6; ++i) {
            auto disk = LocalDisk::open(root + "/d" + std::to_string(i));
            REQUIRE(disk.ok());
            disks.push_back(std::move(*disk));
        }
        reopen();
    }
    ~LocalVolumes() {
        store.reset();
        std::filesystem::remove_all(root);
    }
    void reopen() {
        store.reset();
        VolumeStore::Options options;
        options.geometry = {4, 2};
        options.shard_bytes_max = 4 * kMiB;
        options.allocate_bytes = kMiB;
        options.reserve_bytes = 0;
        std::vector<VolumeDisk> members;
        for (std::size_t i = 0; i < 6; ++i) members.push_back({i + 1, disks[i].get()});
        auto opened = VolumeStore::open(
            options, {members, catalog, pool, random, clock, log}, catalog.rows());
        REQUIRE(opened.ok());
        store = std::move(*opened);
    }
    void check(const Stored& stored) {
        for (const Extent& e : stored.extents) {
            std::string bytes(e.length, '?');
            REQUIRE(store->read(e, 0, writable(bytes)).code() == Code::ok);
            REQUIRE(bytes == stored.bytes.substr(e.logical_offset, e.length));
            std::string again(e.length, '?');
            if (store->try_read(e, 0, writable(again))) CHECK(again == bytes);
        }
    }
};

}  // namespace

TEST_CASE("directories of this machine keep what is stored, after a clean stop and without one") {
    LocalVolumes volumes;
    std::vector<Stored> all;
    for (std::uint64_t i = 0; i < 20; ++i) {
        Stored small{some_bytes(4096 * i + 1, i), {}};
        const Piece piece{{i, 1, 0}, as_bytes(small.bytes)};
        const auto extents = volumes.store->append({&piece, 1});
        REQUIRE(extents.ok());
        small.extents = (*extents)[0];
        all.push_back(small);
    }
    Stored large{some_bytes(30 * kMiB, 99), {}};
    {
        const auto stream = volumes.store->open_stream({1, 1, 0}, 0);
        REQUIRE((*stream)->write(as_bytes(large.bytes)).ok());
        large.extents = (*stream)->finish().value();
    }
    all.push_back(large);
    for (const Stored& s : all) {
        volumes.catalog.name(s.extents);
        volumes.check(s);
    }
    REQUIRE(volumes.store->stop().ok());
    for (const VolumeRow& row : volumes.catalog.rows()) {
        CHECK(row.state == VolumeState::sealed);
        const auto path =
            volumes.root + "/d" + std::to_string(row.disks[0] - 1) + "/" + shard_path(row.id, 0);
        CHECK(std::filesystem::file_size(path) == row.length + 4096);
    }
    for (const Stored& s : all) volumes.check(s);
    volumes.reopen();
    Stored last{some_bytes(200'000, 7), {}};
    const Piece piece{{1, 1, 0}, as_bytes(last.bytes)};
    last.extents = volumes.store->append({&piece, 1}).value()[0];
    volumes.catalog.name(last.extents);
    all.push_back(last);
    volumes.reopen();  // without a stop
    for (const Stored& s : all) volumes.check(s);
    // Two directories go, as a user would lose them.
    for (const char* name : {"/d1/vol", "/d4/vol"}) {
        std::filesystem::remove_all(volumes.root + name);
    }
    volumes.reopen();
    for (const Stored& s : all) volumes.check(s);
    for (const auto& d : volumes.store->health()) {
        if (d.id == 2 || d.id == 5) CHECK(d.read_errors > 0);
    }
}
