#include "objstore/volume/shard_file.h"

#include <atomic>
#include <thread>

#include "objstore/volume/volume_fixture.h"

using namespace tests;

namespace {

struct OneShard {
    SimWorld world{1};
    SimDisk& disk = world.add_disk("d");
    SimClock clock;
    spdlog::logger log{"test"};
    DiskSet disks{{{1, &disk}}, {}, clock, log};
    ShardFile shard{disk.open("f", OpenMode::create_new).value(), disks, 0};

    Status write(std::uint64_t at) {
        const Bytes bytes = as_bytes("some bytes");
        return shard.write(at, {&bytes, 1});
    }
    std::uint64_t syncs() const { return disk.count(SimOperation::sync); }
};

// Its syncs wait until they are let go.
class SlowFile final : public File {
public:
    using File::write_at;
    Status read_at(std::uint64_t, MutableBytes) const override { return {}; }
    Result<std::size_t> read_some_at(std::uint64_t, MutableBytes) const override {
        return std::size_t{0};
    }
    bool try_read_at(std::uint64_t, MutableBytes) const override { return false; }
    Status write_at(std::uint64_t, std::span<const Bytes>) override { return {}; }
    Status sync() override {
        ++*syncs;
        while (*hold) std::this_thread::yield();
        return {};
    }
    Status allocate(std::uint64_t, std::uint64_t) override { return {}; }
    Status truncate(std::uint64_t) override { return {}; }
    Status punch_hole(std::uint64_t, std::uint64_t) override { return {}; }
    Result<std::uint64_t> size() const override { return std::uint64_t{0}; }
    void start_write_out(std::uint64_t, std::uint64_t) override {}
    void drop_cache(std::uint64_t, std::uint64_t) override {}

    std::atomic<int>* syncs = nullptr;
    std::atomic<bool>* hold = nullptr;
};

}  // namespace

TEST_CASE("a file whose sync failed is never synced again") {
    OneShard one;
    REQUIRE(one.write(0).ok());
    one.disk.fail({.operation = SimOperation::sync});
    CHECK(one.shard.sync().code() == Code::io_error);
    CHECK(one.shard.failed());
    CHECK_FALSE(one.disks.writable(0));
    REQUIRE(one.write(100).ok());
    CHECK(one.shard.sync().code() == Code::io_error);
    CHECK(one.syncs() == 1);
}

TEST_CASE("a sync with nothing to do costs nothing") {
    OneShard one;
    CHECK(one.shard.sync().ok());
    CHECK(one.syncs() == 0);
    REQUIRE(one.write(0).ok());
    CHECK(one.shard.sync().ok());
    CHECK(one.shard.sync().ok());
    CHECK(one.syncs() == 1);
}

TEST_CASE("a sync covers only what was written before it began") {
    std::atomic<int> syncs = 0;
    std::atomic<bool> hold = true;
    OneShard one;
    auto file = std::make_unique<SlowFile>();
    file->syncs = &syncs;
    file->hold = &hold;
    ShardFile shard(std::move(file), one.disks, 0);
    const Bytes bytes = as_bytes("x");
    REQUIRE(shard.write(0, {&bytes, 1}).ok());
    std::thread first([&] { CHECK(shard.sync().ok()); });
    while (syncs == 0) std::this_thread::yield();
    REQUIRE(shard.write(1, {&bytes, 1}).ok());
    std::thread second([&] { CHECK(shard.sync().ok()); });
    hold = false;
    first.join();
    second.join();
    CHECK(syncs == 2);
}

TEST_CASE("the last room of a disk is used in small steps") {
    OneShard one;
    one.disk.set_capacity(10'000);
    CHECK(one.shard.allocate(0, 100'000, 8000).value_or(0) == 8000);
    CHECK(one.shard.allocate(8000, 100'000, 20'000).code() == Code::no_space);
    CHECK_FALSE(one.shard.failed());
    CHECK_FALSE(one.disks.writable(0));
}
