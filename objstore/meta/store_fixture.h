#pragma once

#include <latch>
#include <memory>
#include <semaphore>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/null_sink.h>

#include "objstore/meta/sqlite_store.h"
#include "tests/sim/sim_clock.h"
#include "tests/sim/sim_disk.h"

namespace tests {

// A namespace on a simulated disk, with one bucket "b".
struct StoreFixture {
    explicit StoreFixture(std::uint64_t seed = 1) : world(seed), disk(world.add_disk("d")) {
        // Only when a test asks for it.
        options.writer.sync_interval = std::chrono::hours(1);
        options.cache_bytes = 4 * objstore::kMiB;
    }

    SimWorld world;
    SimDisk& disk;
    SimClock clock;
    spdlog::logger log{"test", std::make_shared<spdlog::sinks::null_sink_mt>()};
    objstore::SqliteStore::Options options;
    std::unique_ptr<objstore::SqliteStore> store;
    objstore::InodeId bucket = 0;

    objstore::Status try_open() {
        auto opened = objstore::SqliteStore::open(options, {disk, clock, log});
        if (!opened.ok()) return std::move(opened).error();
        store = std::move(opened).value();
        const auto row = store->bucket("b");
        bucket = row.ok() ? row->inode : 0;
        return {};
    }
    // Opens, makes the bucket if it is new.
    void open() {
        const objstore::Status status = try_open();
        CAPTURE(status.message());
        REQUIRE(status.ok());
        if (bucket != 0) return;
        objstore::CreateBucketOp op;
        op.bucket.name = "b";
        op.bucket.created = clock.now();
        REQUIRE(store->commit(std::move(op)).status.ok());
        bucket = store->bucket("b")->inode;
    }
    void close() { store.reset(); }
    void power_cycle() {
        close();
        world.power_cycle();
        open();
    }

    objstore::CreateOp create_op(objstore::InodeId parent,
                                 const std::string& name,
                                 objstore::FileType type = objstore::FileType::regular) const {
        objstore::CreateOp op;
        op.parent = parent;
        op.name = name;
        op.inode.type = type;
        op.inode.mode = 0644;
        op.inode.ctime = op.inode.mtime = op.inode.atime = op.inode.btime = clock.now();
        return op;
    }
    objstore::TxnResult create(const std::string& name, bool durable = true) {
        return store->commit(create_op(bucket, name), durable);
    }
    // Carries out all in one batch: the writer waits in the answer to another Txn until all are
    // queued.
    std::vector<objstore::TxnResult> run_batch(std::vector<objstore::Txn> txns) const {
        std::binary_semaphore waiting{0};
        std::binary_semaphore go{0};
        store->submit(objstore::Txn{}, [&](objstore::TxnResult&&) {
            waiting.release();
            go.acquire();
        });
        waiting.acquire();
        std::vector<objstore::TxnResult> results(txns.size());
        std::latch left(static_cast<std::ptrdiff_t>(txns.size()));
        for (std::size_t i = 0; i < txns.size(); ++i) {
            store->submit(std::move(txns[i]), [&, i](objstore::TxnResult&& result) {
                results[i] = std::move(result);
                left.count_down();
            });
        }
        go.release();
        left.wait();
        return results;
    }
    // A file of so many extents of 50 bytes in volume 7, one in each 100 bytes.
    objstore::InodeId create_in_table(const std::string& name, std::uint64_t extents) {
        const objstore::InodeId id = create(name).results.at(0).inode->id;
        objstore::VolumeRow volume;
        volume.id = 7;
        REQUIRE(store->commit(objstore::AddVolumeOp{volume}).status.ok());
        objstore::WriteOp write{.inode = id, .time = clock.now()};
        for (std::uint64_t i = 0; i < extents; ++i) write.content.extents.push_back(extent_at(i));
        REQUIRE(store->commit(std::move(write)).status.ok());
        REQUIRE(store->getattr(id).value()->extents_in_table);
        return id;
    }
    static objstore::Extent extent_at(std::uint64_t i) {
        objstore::Extent extent;
        extent.logical_offset = i * 100;
        extent.length = 50;
        extent.volume = 7;
        extent.place = i * 8192;
        extent.header_bytes = extent.column_bytes = 4096;
        return extent;
    }
    objstore::TxnResult set(const std::string& name,
                            const std::string& value,
                            bool durable = true) const {
        return store->commit(objstore::SetSettingOp{name, value}, durable);
    }
};

}  // namespace tests
