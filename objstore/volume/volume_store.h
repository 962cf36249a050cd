#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <vector>

#include "objstore/base/bytes.h"
#include "objstore/base/clock.h"
#include "objstore/base/executor.h"
#include "objstore/base/extent.h"
#include "objstore/base/status.h"
#include "objstore/disk/disk.h"
#include "objstore/volume/catalog.h"

namespace spdlog {
class logger;
}

namespace objstore {

inline constexpr std::size_t kColumnBytesMax = kMiB;          // a full column of a stripe
inline constexpr std::size_t kGranuleBytes = 16 * kKiB;       // what one header CRC covers
inline constexpr std::size_t kExtentCrcBytesMax = 64 * kKiB;  // up to here an extent has a CRC

struct VolumeDisk {
    DiskId id = 0;
    Disk* disk = nullptr;  // null: a member that is absent
};

// Bytes to store and who they are for. `bytes` must stay valid during the call.
struct Piece {
    Owner owner;
    Bytes bytes;
};

class VolumeStream;

// Whether the disk has any shard file, whoever's.
Result<bool> holds_shard_files(Disk& disk);

// The data plane: append-only erasure-coded volumes over the disks (design, section 2).
// Durability: extents that a call returned are synced on all shards of their stripes.
// Threads: any. The disks, catalog, executor, random, clock and logger must outlive it.
class VolumeStore {
public:
    struct Options {
        Geometry geometry;  // of new volumes with all disks healthy
        std::uint64_t shard_bytes_max = 1024 * kMiB;
        std::uint64_t allocate_bytes = 64 * kMiB;  // fallocate step
        std::uint64_t stream_sync_bytes = 32 * kMiB;
        int stream_volumes_max = 4;
        // Of all streams together. When it gets short, streams make do with small stripes, then
        // they wait some seconds, then they are refused (unavailable).
        std::size_t buffer_bytes_max = 128 * kMiB;
        std::uint64_t reserve_bytes = 64 * kMiB;  // free space of a disk that volumes leave alone
        std::size_t open_files_max = 1024;        // for reading; some more for writing
        std::uint64_t node = 1;
        std::uint64_t deployment[2] = {0, 0};
        std::uint64_t order_after = 0;  // what the catalog's reserve_order was given last
    };
    struct Deps {
        std::vector<VolumeDisk> disks;  // all members of the deployment, absent ones with null
        VolumeCatalog& catalog;
        Executor& executor;
        Random& random;
        const Clock& clock;
        spdlog::logger& log;
    };
    // Opens the volumes of `rows`. Those left open by an unclean stop are recovered in the
    // background: whole stripes stay, what follows is cut (only with all shards at hand), they are
    // sealed. Reads volume files only of those, and lists all: files of known volumes come back
    // from `lost/`, and there goes, never deleted, what has neither row nor stripes. corruption:
    // files have stripes and no row, so the namespace lost commits; nothing was changed.
    // unsupported: a newer version's file.
    static Result<std::unique_ptr<VolumeStore>> open(Options options,
                                                     const Deps& deps,
                                                     const std::vector<VolumeRow>& rows);
    virtual ~VolumeStore() = default;

    // Stores all pieces in as few stripes as possible, one write and one sync a disk, and returns
    // each piece's extents in order (mostly one each; logical offsets from the owner's). Blocks
    // for one sync round (some for many MiB). A disk that fails is left out: the pieces go to a
    // fresh volume on healthy disks. unavailable: fewer than parity + 1 healthy disks. no_space:
    // disks full. After an error what was stored is garbage.
    virtual Result<std::vector<std::vector<Extent>>> append(std::span<const Piece> pieces) = 0;
    // A long append of unknown length. See VolumeStream. `size_hint` 0: unknown.
    virtual Result<std::unique_ptr<VolumeStream>> open_stream(Owner owner,
                                                              std::uint64_t size_hint) = 0;

    // Reads bytes [offset, offset + out.size()) of a stripe extent, counted from its first; each
    // byte checked. Wrong or missing shards are rebuilt from the others. io_error: fewer than
    // `data` good shards. unavailable: too many open files. not_found: the volume is gone (resolve
    // the object again).
    virtual Status read(const Extent& extent, std::uint64_t offset, MutableBytes out) = 0;
    // The same if page cache and memory can answer without waiting and all checks hold. False:
    // call read.
    virtual bool try_read(const Extent& extent, std::uint64_t offset, MutableBytes out) = 0;

    struct DiskHealth {
        DiskId id = 0;
        bool absent = false;
        bool failed = false;            // no new volumes there
        bool full = false;              // likewise
        std::uint64_t read_errors = 0;  // failed or wrong reads, rebuilt from others
        std::uint64_t write_errors = 0;
    };
    virtual std::vector<DiskHealth> health() const = 0;
    // Payload bytes that can still be stored, and in all, by the geometry in use.
    virtual DiskSpace space() = 0;

    // Seals what is open (footers, lengths) and refuses further appends. Safe to repeat.
    virtual Status stop() = 0;
};

// One object's bytes on their way into stripes, written while they arrive (at most two stripes in
// memory). Destroying it before `finish` leaves garbage, no harm. Threads: one at a time. The store
// must outlive it.
class VolumeStream {
public:
    virtual ~VolumeStream() = default;
    // Room to put the next bytes into, never empty. Waits some seconds when memory is short, and
    // for the disks when they are slower than the caller. The memory is the stripe's own: filling
    // it is the only copy. After an error the stream is lost.
    virtual Result<MutableBytes> space() = 0;
    // The first `size` bytes of `space()` are filled. The span given before stays readable (for
    // hashing) until the next call of `space` that follows a full stripe plus one more.
    virtual Status advance(std::size_t size) = 0;
    Status write(Bytes bytes);
    // Writes out and syncs all, and returns the extents in logical order, starting at the owner's
    // offset. Bytes of a disk that failed on the way are re-appended elsewhere from memory or the
    // surviving shards.
    virtual Result<std::vector<Extent>> finish() = 0;
};

// What keeps superseded bytes alive. A reader or writer holds a Pin from resolving or allocating
// until its last byte or its commit; space is given back only when all pins older than the commit
// that forgot it are gone. Threads: any. Cost: one short lock.
class Pins {
public:
    class Pin {
    public:
        Pin() = default;
        Pin(Pin&& other) noexcept;
        Pin& operator=(Pin&& other) noexcept;
        ~Pin();

    private:
        friend class Pins;
        Pin(Pins* pins, std::uint64_t epoch) : pins_(pins), epoch_(epoch) {}
        Pins* pins_ = nullptr;
        std::uint64_t epoch_ = 0;
    };
    Pins();
    ~Pins();
    Pin acquire();
    // Starts a new epoch and returns the old one: pins acquired before this call are `<= it`.
    std::uint64_t advance();
    bool gone(std::uint64_t epoch) const;  // no pin of `epoch` or older is held

private:
    void release(std::uint64_t epoch);
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace objstore
