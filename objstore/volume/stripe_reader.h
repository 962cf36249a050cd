#pragma once

#include "objstore/volume/header_cache.h"
#include "objstore/volume/volume_map.h"

namespace objstore {

// Reads extents of stripes and checks every byte: small extents against their own checksum, others
// by the granules of the stripe's headers. What is missing or wrong is rebuilt from other shards.
// Threads: any. The map and the executor must outlive it.
class StripeReader final {
public:
    struct Deps {
        VolumeMap& volumes;
        DiskSet& disks;
        FileCache& files;
        Executor& executor;
    };
    explicit StripeReader(Deps deps) : deps_(deps) {}

    // As VolumeStore::read and try_read.
    Status read(const Extent& extent, std::uint64_t offset, MutableBytes out);
    bool try_read(const Extent& extent, std::uint64_t offset, MutableBytes out);

private:
    // Whether to wait for devices. What would have to wait answers `unavailable`.
    enum class Wait : bool { no, yes };
    // A stripe as its extents describe it.
    struct Stripe {
        Volume* volume = nullptr;
        std::uint64_t place = 0;
        std::uint32_t header_bytes = 0;
        std::uint32_t column_bytes = 0;
        std::uint32_t nonce = 0;
    };
    // `out` are the bytes from `from` on of a shard's column.
    struct Segment {
        int shard = 0;
        std::uint32_t from = 0;
        MutableBytes out;
    };
    struct Segments {
        std::array<Segment, kShardsMax> at;
        std::size_t count = 0;
    };

    Result<Stripe> find(const Extent& extent, std::uint64_t offset, std::size_t size) const;
    static Segments cut(const Stripe& stripe, std::uint32_t payload_offset, MutableBytes out);
    Result<FileRef> open(Volume& volume, int shard, Wait wait);
    Result<std::unique_ptr<File>> open_checked(const Volume& volume, int shard);
    Status read_file(FileRef& file, std::uint64_t offset, MutableBytes out, Wait wait);

    // Bytes as they lie on the disks, for a check of the whole extent.
    Status read_plain(const Stripe& stripe, const Segments& segments, Wait wait);
    // Of a shard alone: an error when anything is wrong with it, counted against its disk.
    Status read_checked(const Stripe& stripe, const Segment& segment, Wait wait);
    Status read_granules(const Stripe& stripe, const Segment& segment, Wait wait);
    Result<ShardHeader> header(const Stripe& stripe, int shard, FileRef& file, Wait wait);
    void count_error(const Stripe& stripe, int shard, const Status& status);

    Status read_segments(const Stripe& stripe, const Segments& segments);
    Status read_small(const Stripe& stripe, const Extent& extent, MutableBytes out);
    bool try_read_small(const Stripe& stripe, const Extent& extent, MutableBytes out);
    Status rebuild(const Stripe& stripe, const Segment& segment, const Status& why);
    // The segment is whole granules.
    Status rebuild_granules(const Stripe& stripe, const Segment& segment, const Status& why);
    void run(std::size_t count, std::size_t bytes, const std::function<void(std::size_t)>& fn);

    const Deps deps_;
    HeaderCache headers_;
};

}  // namespace objstore
