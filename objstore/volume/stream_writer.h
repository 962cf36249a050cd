#pragma once

#include <array>
#include <vector>

#include "objstore/volume/appender.h"
#include "objstore/volume/deferred.h"
#include "objstore/volume/stripe_reader.h"

namespace objstore {

// A VolumeStream. While one lane fills, the stripe in the other is encoded and written by the
// executor; a third job syncs what was written. The three touch different members: lanes belong to
// the caller, but for the one being written; `written_` to the write job while that runs;
// `syncing_` to the sync job.
class StreamWriter final : public VolumeStream {
public:
    struct Options {
        Geometry geometry;  // what most volumes have
        std::uint64_t sync_bytes = 0;
    };
    struct Deps {
        VolumePool& pool;
        StripeReader& reader;
        BufferPool& buffers;
        BufferBudget& budget;
        Executor& executor;
        Random& random;
        const DiskSet& disks;
    };
    StreamWriter(Options options, const Deps& deps, Owner owner, std::uint64_t size_hint);
    ~StreamWriter() override;

    Result<MutableBytes> space() override;
    Status advance(std::size_t size) override;
    Result<std::vector<Extent>> finish() override;

private:
    // Memory for the payload of one stripe, and padding.
    struct Lane {
        Buffer memory;
        std::size_t capacity = 0;
        std::size_t used = 0;
    };
    // Where a stripe's bytes are. `volume`: not synced yet. Shared: as OpenVolume says.
    struct Placed {
        std::shared_ptr<OpenVolume> volume;
        Extent extent;
    };
    // Bytes to put into stripes; what follows them in memory may be overwritten by padding.
    struct Run {
        std::byte* bytes = nullptr;
        std::size_t size = 0;
        std::uint64_t logical_offset = 0;
    };

    Status reserve();
    Status reserve_lanes(std::size_t lanes, std::size_t capacity, bool wait);
    void release();
    std::size_t side_bytes(std::size_t payload) const;
    void submit();
    Status collect_write();
    Status collect_sync();
    Status start_sync();
    Status place(const Run& run, OpenVolume::Sync sync, std::vector<Placed>& placed);
    Result<Extent> place_stripe(OpenVolume& volume,
                                const Run& run,
                                OpenVolume::Sync sync,
                                Buffer& side);
    Status sync_all(std::vector<Placed>& all);
    Status rescue(std::vector<Placed>& all, const OpenVolume* lost);

    const Options options_;
    const Deps deps_;
    const Owner owner_;
    const std::uint64_t size_hint_;
    const std::size_t slot_;
    std::array<Lane, 2> lanes_;
    std::size_t lane_ = 0;              // the one that fills
    Buffer outgrown_;                   // a first lane that was too small; still readable
    std::size_t budget_bytes_ = 0;      // taken from the budget
    std::uint64_t size_ = 0;            // bytes in stripes that were handed to be written
    std::uint64_t unsynced_bytes_ = 0;  // of these, handed after the last sync began
    Status status_;                     // the first error: final
    bool finished_ = false;

    std::vector<Placed> written_;
    Status write_status_;
    std::vector<Placed> syncing_;
    Status sync_status_;
    std::vector<Extent> extents_;  // of all that is durable
    // Last, so that they end first.
    Deferred write_job_;
    Deferred sync_job_;
};

}  // namespace objstore
