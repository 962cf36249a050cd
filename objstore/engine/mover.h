#pragma once

#include <condition_variable>
#include <mutex>
#include <set>
#include <span>
#include <thread>

#include "objstore/meta/meta_store.h"
#include "objstore/volume/volume_store.h"

namespace spdlog {
class logger;
}

namespace objstore {

// Packs bytes that were kept inline into full stripes soon after, and does the namespace's upkeep.
// Durability: the packed bytes are synced before the namespace names them; until then the inline
// ones stand. Those that are damaged, or whose names are, stay where they are and are not tried
// again before the next start. Idle while nothing waits. Both stores must outlive it.
class Mover final {
public:
    struct Options {
        std::chrono::milliseconds pack_after{1000};     // of the first that waits
        std::chrono::milliseconds upkeep_every{10000};  // while some is not due yet
        std::size_t batch_bytes = 4 * kMiB;
        std::size_t batch_rows = 1000;
    };
    Mover(Options options, MetaStore& meta, VolumeStore& volumes, Pins& pins, spdlog::logger& log);
    ~Mover();  // stops

    // Something was kept inline, or an orphan may be left. Cheap.
    void wake();
    // Packs all that waits now. Any thread.
    Status pack();
    void stop();

private:
    void run();
    Result<bool> upkeep();
    Result<bool> pack_batch(std::uint64_t& after);
    Result<Owner> owner_of(const InlineRow& row) const;
    Status pack_rows(std::span<const InlineRow* const> rows);
    Status name(std::span<const Op> ops);
    Status name_some(std::span<const Op> ops);
    Status leave(std::uint64_t id, const Status& why);

    const Options options_;
    MetaStore& meta_;
    VolumeStore& volumes_;
    Pins& pins_;
    spdlog::logger& log_;
    std::mutex pack_mutex_;         // one packer at a time; held across I/O, by packers alone
    std::set<std::uint64_t> left_;  // rows; of who has pack_mutex_
    std::mutex mutex_;
    std::condition_variable ready_;
    bool work_ = true;      // after a start there may be some
    bool waiting_ = false;  // orphans or directories that were not due when last looked at
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace objstore
