#include "objstore/volume/file_cache.h"

#include "objstore/volume/volume_fixture.h"

using namespace tests;

namespace {

// A process that may have so many files open.
struct Process {
    SimWorld world{1};
    SimDisk& disk = world.add_disk("d");
    FileCache cache;
    std::vector<FileSlot> slots;
    std::size_t limit;
    int opened = 0;

    Process(std::size_t files, std::size_t cached_max, std::size_t open_max)
        : cache(cached_max), slots(files), limit(open_max) {
        for (std::size_t i = 0; i < files; ++i) {
            REQUIRE(disk.open(std::to_string(i), OpenMode::create_new).ok());
        }
    }
    Result<FileRef> acquire(std::size_t index) {
        return cache.acquire(slots[index], [&]() -> Result<std::unique_ptr<File>> {
            if (cache.open_count() >= limit) return Status::unavailable("too many open files");
            ++opened;
            return disk.open(std::to_string(index), OpenMode::read);
        });
    }
};

}  // namespace

TEST_CASE("a file stays open until others need its descriptor") {
    Process process(200, 100, 1000);
    for (std::size_t i = 0; i < 100; ++i) REQUIRE(process.acquire(i).ok());
    CHECK(process.opened == 100);
    for (std::size_t i = 0; i < 100; ++i) CHECK(process.cache.try_acquire(process.slots[i]));
    for (std::size_t i = 100; i < 200; ++i) REQUIRE(process.acquire(i).ok());
    CHECK(process.cache.open_count() <= 100);
    CHECK(process.opened == 200);
}

TEST_CASE("a file in use is not closed") {
    Process process(10, 2, 1000);
    auto first = process.acquire(0);
    REQUIRE(first.ok());
    for (std::size_t i = 1; i < 10; ++i) REQUIRE(process.acquire(i).ok());
    CHECK(process.cache.try_acquire(process.slots[0]));
    CHECK((*first)->size().ok());
}

TEST_CASE("too many open files of the process close some of ours") {
    Process process(10, 100, 4);
    for (std::size_t i = 0; i < 10; ++i) CHECK(process.acquire(i).ok());
}

TEST_CASE("too many open files with all of ours in use is an error, and passes") {
    Process process(4, 100, 2);
    auto a = process.acquire(0);
    auto b = process.acquire(1);
    REQUIRE(b.ok());
    CHECK(process.acquire(2).code() == Code::unavailable);
    b = FileRef();
    CHECK(process.acquire(2).ok());
}

TEST_CASE("a file that can not be opened leaves its slot as it was") {
    Process process(1, 10, 10);
    REQUIRE(process.disk.remove("0").ok());
    CHECK(process.acquire(0).code() == Code::not_found);
    REQUIRE(process.disk.open("0", OpenMode::create_new).ok());
    CHECK(process.acquire(0).ok());
}
