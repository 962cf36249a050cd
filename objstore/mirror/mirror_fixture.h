#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>

#include "objstore/meta/sqlite_store.h"
#include "objstore/mirror/mirrors.h"
#include "tests/sim/sim_clock.h"
#include "tests/sim/sim_disk.h"
#include "tests/sim/stalling_disk.h"

namespace tests {

// A log that can be read while others write to it.
class TextSink final : public spdlog::sinks::base_sink<std::mutex> {
public:
    std::string str() {
        const std::lock_guard lock(mutex_);
        return text_;
    }
    void clear() {
        const std::lock_guard lock(mutex_);
        text_.clear();
    }

private:
    void sink_it_(const spdlog::details::log_msg& message) override {
        spdlog::memory_buf_t line;
        formatter_->format(message, line);
        text_.append(line.data(), line.size());
    }
    void flush_() override {}

    std::string text_;
};

// A namespace mirrored on simulated disks, without volumes. Each setting is a commit.
struct MirrorFixture {
    struct Shape {
        std::size_t disks = 4;
        std::uint32_t parity = 2;
    };
    explicit MirrorFixture(Shape shape, std::uint64_t seed = 1)
        : world(seed), random(seed ^ 0x5bd1e995), parity(shape.parity) {
        for (std::size_t i = 0; i < shape.disks; ++i) {
            world.add_disk("d" + std::to_string(i));
            stalling.push_back(std::make_unique<StallingDisk>(world.disk(i)));
        }
        options.path = "meta/namespace.db";
        options.limit = std::chrono::minutes(1);  // a busy machine is no disk that hangs
        options.look = std::chrono::milliseconds(1);
        options.fill_bytes_per_second = std::uint64_t{1} << 40;
        store_options.writer.sync_interval = std::chrono::hours(1);
        store_options.log_is_recovered = true;
        store_options.wal_step_bytes = 64 * objstore::kKiB;
        store_options.cache_bytes = 64 * objstore::kKiB;
    }
    ~MirrorFixture() { close(); }

    SimDisk& disk(std::size_t i) { return world.disk(i); }

    // Opens with the disks whose bits are set.
    objstore::Status open(std::uint64_t here = ~std::uint64_t{0}) {
        objstore::Mirrors::Deps deps{{1, 2}, {}, parity, {}, random, clock, log};
        for (std::size_t i = 0; i < world.disk_count(); ++i) {
            const objstore::LabelDisk label{.id = i + 1, .path = disk(i).name()};
            objstore::Disk* const given = (here >> i & 1) != 0 ? stalling[i].get() : nullptr;
            deps.disks.push_back({label, given});
        }
        TRY_ASSIGN(mirrors, objstore::Mirrors::open(options, std::move(deps)));
        store_options.create = mirrors->is_new();
        auto opened = objstore::SqliteStore::open(store_options, {mirrors->disk(), clock, log});
        if (!opened.ok()) {
            mirrors.reset();
            return std::move(opened).error();
        }
        store = std::move(opened).value();
        if (store_options.create) {
            const objstore::Status published = mirrors->publish();
            if (!published.ok()) close();
            TRY(published);
        }
        if (fill) mirrors->start();
        return {};
    }
    void close() {
        if (mirrors != nullptr) mirrors->stop();
        store.reset();
        mirrors.reset();
    }
    objstore::Status set(int i, std::size_t bytes = 600) {
        return store->commit(objstore::SetSettingOp{name_of(i), value_of(i, bytes)}).status;
    }
    // Whether it is there, and whole.
    bool has(int i, std::size_t bytes = 600) {
        const auto value = store->setting(name_of(i));
        return value.ok() && *value == value_of(i, bytes);
    }
    static std::string name_of(int i) { return "setting-" + std::to_string(i); }
    static std::string value_of(int i, std::size_t bytes) {
        std::string value = std::to_string(i) + ":";
        value.resize(bytes, static_cast<char>('a' + i % 26));
        return value;
    }
    // Of the mirrors in force, the index of each one's disk.
    std::vector<std::size_t> members() const {
        std::vector<std::size_t> found;
        for (const auto& entry : mirrors->info().mirrors) found.push_back(entry.disk - 1);
        return found;
    }
    std::string path_on(std::size_t i, const std::string& suffix = "") const {
        for (const auto& entry : mirrors->info().mirrors) {
            if (entry.disk == i + 1) return objstore::mirror_path(entry.incarnation) + suffix;
        }
        return "";
    }
    // Until it holds: mirrors are filled in another thread.
    void await(const std::function<bool()>& holds) const {
        std::mutex mutex;
        std::condition_variable never;
        std::unique_lock lock(mutex);
        for (int i = 0; i < 10'000 && !holds(); ++i) {
            never.wait_for(lock, std::chrono::milliseconds(1));
        }
        CAPTURE(logged.str());
        REQUIRE(holds());
    }
    void await_members(std::size_t count) const {
        await([&] { return mirrors->info().mirrors.size() == count; });
    }

    SimWorld world;
    SimRandom random;
    SimClock clock;
    const std::uint32_t parity;
    std::vector<std::unique_ptr<StallingDisk>> stalling;
    const std::shared_ptr<TextSink> sink = std::make_shared<TextSink>();
    TextSink& logged = *sink;
    spdlog::logger log{"test", sink};
    objstore::Mirrors::Options options;
    objstore::SqliteStore::Options store_options;
    bool fill = true;
    std::unique_ptr<objstore::Mirrors> mirrors;
    std::unique_ptr<objstore::SqliteStore> store;
};

}  // namespace tests
