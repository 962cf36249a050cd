#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <spdlog/logger.h>

#include "objstore/base/guarded.h"
#include "objstore/volume/format.h"
#include "objstore/volume/volume_store.h"
#include "tests/sim/sim_clock.h"
#include "tests/sim/sim_disk.h"
#include "tests/sim/sim_executor.h"

// For tests: a store on simulated disks, with a catalog that keeps what it acknowledged.
namespace tests {

using namespace objstore;  // NOLINT(google-build-using-namespace): only tests include this

class FakeCatalog final : public VolumeCatalog {
public:
    using Rows = std::map<VolumeId, VolumeRow>;

    explicit FakeCatalog(const SimWorld& world) : world_(world) {}

    Status add_volume(const VolumeRow& row) override {
        if (fails_ || world_.power_was_cut()) return Status::io_error("no catalog");
        rows_.with([&](Rows& rows) { rows[row.id] = row; });
        return {};
    }
    Status seal_volume(VolumeId id, std::uint64_t length, std::uint64_t payload_bytes) override {
        if (fails_ || world_.power_was_cut()) return Status::io_error("no catalog");
        rows_.with([&](Rows& rows) {
            VolumeRow& row = rows.at(id);
            row.state = VolumeState::sealed;
            row.length = length;
            row.payload_bytes = payload_bytes;
        });
        return {};
    }
    Status reserve_order(std::uint64_t number) override {
        if (fails_ || world_.power_was_cut()) return Status::io_error("no catalog");
        order_ = number;
        return {};
    }
    std::uint64_t order() const { return order_; }
    // An object's commit.
    void name(const std::vector<Extent>& extents) {
        rows_.with([&](Rows& rows) {
            for (const Extent& e : extents) {
                VolumeRow& row = rows.at(e.volume);
                row.named_end = std::max(row.named_end, e.place + e.header_bytes + e.column_bytes);
                row.live_bytes += e.length;
            }
        });
    }
    std::vector<VolumeRow> rows() const {
        return rows_.with([](const Rows& rows) {
            std::vector<VolumeRow> all;
            for (const auto& [id, row] : rows) all.push_back(row);
            return all;
        });
    }
    VolumeRow row(VolumeId id) const {
        return rows_.with([&](const Rows& rows) { return rows.at(id); });
    }
    // As if the namespace were another, older one.
    void restore(const std::vector<VolumeRow>& rows) {
        rows_.with([&](Rows& now) {
            now.clear();
            for (const VolumeRow& row : rows) now[row.id] = row;
        });
    }
    void set_fails(bool fails) { fails_ = fails; }

private:
    const SimWorld& world_;
    Guarded<Rows> rows_;
    std::atomic<std::uint64_t> order_{0};
    bool fails_ = false;
};

// Bytes that follow from a seed and differ everywhere.
inline std::string some_bytes(std::size_t size, std::uint64_t seed) {
    SimRandom random(seed);
    std::string bytes(size, '\0');
    for (std::size_t i = 0; i < size; i += 8) {
        const std::uint64_t word = random.next();
        std::memcpy(bytes.data() + i, &word, std::min<std::size_t>(8, size - i));
    }
    return bytes;
}

inline MutableBytes writable(std::string& text) {
    return std::as_writable_bytes(std::span(text.data(), text.size()));
}

struct Stored {
    std::string bytes;
    std::vector<Extent> extents;
};

class SimVolumes final {
public:
    struct Setup {
        int disks = 6;
        Geometry geometry{4, 2};
        std::uint64_t seed = 1;
        std::uint64_t shard_bytes_max = 64 * kMiB;
        std::uint64_t allocate_bytes = 64 * kKiB;
        std::uint64_t stream_sync_bytes = 4 * kMiB;
        int stream_volumes_max = 2;
        std::size_t open_files_max = 1024;
        Executor* executor = nullptr;
    };
    explicit SimVolumes(const Setup& with)
        : setup(with),
          world(with.seed),
          catalog(world),
          random(with.seed),
          own_executor(with.seed) {
        for (int i = 0; i < setup.disks; ++i) world.add_disk("d" + std::to_string(i));
        REQUIRE(reopen().ok());
    }

    Status reopen() {
        store.reset();
        VolumeStore::Options options;
        options.geometry = setup.geometry;
        options.shard_bytes_max = setup.shard_bytes_max;
        options.allocate_bytes = setup.allocate_bytes;
        options.stream_sync_bytes = setup.stream_sync_bytes;
        options.stream_volumes_max = setup.stream_volumes_max;
        options.buffer_bytes_max = 64 * kMiB;
        options.reserve_bytes = 0;
        options.open_files_max = setup.open_files_max;
        options.order_after = catalog.order();
        std::vector<VolumeDisk> disks;
        for (int i = 0; i < setup.disks; ++i) {
            const bool here = !absent.contains(i);
            disks.push_back({static_cast<DiskId>(100 + i),
                             here ? &world.disk(static_cast<std::size_t>(i)) : nullptr});
        }
        Executor& executor = setup.executor != nullptr ? *setup.executor : own_executor;
        TRY_ASSIGN(store,
                   VolumeStore::open(
                       options, {disks, catalog, executor, random, clock, log}, catalog.rows()));
        return {};
    }
    // Power is cut and comes back, and the store is opened again.
    Status power_cycle() {
        store.reset();
        world.power_cycle();
        world.cut_power_after(UINT64_MAX / 2);  // forgets that there was a cut
        return reopen();
    }
    SimDisk& disk(int index) { return world.disk(static_cast<std::size_t>(index)); }
    // The disk of a shard of a volume.
    SimDisk& disk_of(VolumeId volume, int shard) {
        const VolumeRow row = catalog.row(volume);
        return disk(static_cast<int>(row.disks.at(static_cast<std::size_t>(shard)) - 100));
    }

    // Stores and names pieces of these sizes. Empty: it failed, and `status` tells.
    std::vector<Stored> append(const std::vector<std::size_t>& sizes) {
        std::vector<Stored> stored;
        std::vector<Piece> pieces;
        for (const std::size_t size : sizes) stored.push_back({some_bytes(size, ++salt), {}});
        for (const Stored& s : stored) pieces.push_back({{7, salt, 0}, as_bytes(s.bytes)});
        auto extents = store->append(pieces);
        status = extents.error();
        if (!extents.ok()) return {};
        for (std::size_t i = 0; i < stored.size(); ++i) {
            stored[i].extents = (*extents)[i];
            catalog.name(stored[i].extents);
        }
        return stored;
    }
    // Streams, finishes and names.
    std::vector<Stored> stream(std::size_t size, std::uint64_t hint) {
        Stored stored{some_bytes(size, ++salt), {}};
        auto opened = store->open_stream({8, salt, 0}, hint);
        status = opened.error();
        if (status.ok()) status = (*opened)->write(as_bytes(stored.bytes));
        if (!status.ok()) return {};
        auto extents = (*opened)->finish();
        status = extents.error();
        if (!status.ok()) return {};
        stored.extents = std::move(extents).value();
        catalog.name(stored.extents);
        return {std::move(stored)};
    }
    // Whether all bytes come back.
    Status read(const Stored& stored) {
        std::uint64_t at = 0;
        for (const Extent& e : stored.extents) {
            if (e.logical_offset != at) return Status::corruption("extents leave a gap");
            std::string bytes(e.length, '?');
            TRY(store->read(e, 0, writable(bytes)));
            if (bytes != stored.bytes.substr(at, e.length)) {
                return Status::corruption("wrong bytes");
            }
            at = e.end();
        }
        return at == stored.bytes.size() ? Status() : Status::corruption("bytes are missing");
    }
    // Every shard file there is, in vol/ and lost/, with its bytes.
    std::map<std::string, std::string> files() {
        std::map<std::string, std::string> found;
        for (int i = 0; i < setup.disks; ++i) {
            std::vector<std::string> directories = {"lost"};
            const auto below = disk(i).list(kVolumesDir);
            for (const auto& name : below.ok() ? *below : std::vector<std::string>()) {
                directories.push_back("vol/" + name.substr(0, name.size() - 1));
            }
            for (const std::string& directory : directories) {
                const auto names = disk(i).list(directory);
                for (const auto& name : names.ok() ? *names : std::vector<std::string>()) {
                    const std::string path = directory + "/" + name;
                    found[disk(i).name() + "/" + path] = *disk(i).contents(path);
                }
            }
        }
        return found;
    }
    std::uint64_t read_errors() const {
        std::uint64_t errors = 0;
        for (const auto& d : store->health()) errors += d.read_errors;
        return errors;
    }

    const Setup setup;
    SimWorld world;
    FakeCatalog catalog;
    SimClock clock;
    SimRandom random;
    SimExecutor own_executor;
    spdlog::logger log{"test"};
    std::set<int> absent;
    std::uint64_t salt = 0;
    Status status;
    std::unique_ptr<VolumeStore> store;  // last: it ends before what it uses
};

}  // namespace tests
