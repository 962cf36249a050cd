#pragma once

#include <vector>

#include "objstore/volume/buffer_pool.h"
#include "objstore/volume/volume_pool.h"

namespace objstore {

// Puts batches of pieces into stripes. Threads: any.
class Appender final {
public:
    struct Deps {
        VolumePool& pool;
        BufferPool& buffers;
        Random& random;
        const DiskSet& disks;
    };
    explicit Appender(Deps deps) : deps_(deps) {}

    // As VolumeStore::append.
    Result<std::vector<std::vector<Extent>>> append(std::span<const Piece> pieces);

private:
    // Where in the pieces what is not stored yet begins.
    struct Cursor {
        std::size_t piece = 0;
        std::size_t offset = 0;
        bool operator==(const Cursor&) const = default;
    };
    // Some stripes that are written at once, and which part of the pieces they take.
    struct Batch {
        std::vector<NewStripe> stripes;
        std::vector<std::vector<std::size_t>> pieces;  // of each owner of each stripe
        Buffer memory;
        Cursor next;
    };
    Batch plan(std::span<const Piece> pieces, Cursor cursor, Geometry geometry);
    static Cursor plan_stripe(std::span<const Piece> pieces,
                              Cursor cursor,
                              std::size_t payload_max,
                              NewStripe& stripe,
                              std::vector<std::size_t>& owners);
    void fill(Batch& batch, std::span<const Piece> pieces, const Codec& codec);
    // Adds to those of each piece what of it `batch` stored in `volume`.
    static void note_extents(const Batch& batch,
                             std::uint64_t volume,
                             std::vector<std::vector<Extent>>& extents);

    const Deps deps_;
};

// Whether what failed so often may be tried once more: each failure but the last puts a disk out,
// and a volume that others retired meanwhile is no failure, within reason.
class Attempts final {
public:
    explicit Attempts(const DiskSet& disks) : failures_max_(disks.count() + 1) {}
    bool again(const Status& status) {
        return status.code() == Code::conflict ? ++conflicts_ < kConflictsMax
                                               : ++failures_ < failures_max_;
    }

private:
    static constexpr int kConflictsMax = 100;
    const int failures_max_;
    int failures_ = 0;
    int conflicts_ = 0;
};

}  // namespace objstore
