#include "objstore/volume/stripe_reader.h"

#include <algorithm>

#include <fmt/format.h>

#include "objstore/erasure/checksum.h"

namespace objstore {

namespace {

// Below this, handing work to other threads costs more than it saves.
constexpr std::size_t kParallelBytes = 256 * kKiB;
// Rebuilding takes `data` times this much memory.
constexpr std::size_t kRebuildBytes = 256 * kKiB;
// No file is longer: what is added to a place stays a valid offset.
constexpr std::uint64_t kPlaceMax = std::uint64_t{1} << 62;

std::string describe(VolumeId volume, int shard, std::uint64_t place) {
    return fmt::format("volume {:016x} shard {} at {}", volume, shard, place);
}

}  // namespace

Result<StripeReader::Stripe> StripeReader::find(const Extent& extent,
                                                std::uint64_t offset,
                                                std::size_t size) const {
    Volume* const volume = deps_.volumes.find(extent.volume);
    if (volume == nullptr) {
        return Status::not_found(fmt::format("volume {:016x} is not there", extent.volume));
    }
    // Extents are stored by the namespace, so they too are bytes from a disk.
    const std::uint64_t payload_max = std::uint64_t{volume->geometry().data} * extent.column_bytes;
    if (extent.kind != ExtentKind::stripe || extent.header_bytes % kBlockBytes != 0 ||
        extent.header_bytes == 0 || extent.header_bytes > kHeaderBytesMax ||
        extent.column_bytes % kBlockBytes != 0 || extent.column_bytes > kColumnBytesMax ||
        extent.place % kBlockBytes != 0 || extent.place > kPlaceMax ||
        extent.length > payload_max || extent.payload_offset > payload_max - extent.length) {
        return Status::corruption(
            fmt::format("volume {:016x}: impossible extent at {}", extent.volume, extent.place));
    }
    if (offset > extent.length || size > extent.length - offset) {
        return Status::invalid_argument("read beyond the end of an extent");
    }
    return Stripe{volume, extent.place, extent.header_bytes, extent.column_bytes, extent.nonce};
}

StripeReader::Segments StripeReader::cut(const Stripe& stripe,
                                         std::uint32_t payload_offset,
                                         MutableBytes out) {
    Segments segments;
    while (!out.empty()) {
        const std::uint32_t from = payload_offset % stripe.column_bytes;
        const std::size_t size = std::min<std::size_t>(out.size(), stripe.column_bytes - from);
        segments.at.at(segments.count++) = {
            static_cast<int>(payload_offset / stripe.column_bytes), from, out.first(size)};
        payload_offset += static_cast<std::uint32_t>(size);
        out = out.subspan(size);
    }
    return segments;
}

void StripeReader::run(std::size_t count,
                       std::size_t bytes,
                       const std::function<void(std::size_t)>& fn) {
    if (count > 1 && bytes > kParallelBytes) {
        deps_.executor.for_each(count, fn);
    } else {
        for (std::size_t i = 0; i < count; ++i) fn(i);
    }
}

// ---- files

// A superblock that says it is another's file, or one that we must not touch, is believed; a
// damaged one is not worth the shard, since all that is read has its own checks.
Result<std::unique_ptr<File>> StripeReader::open_checked(const Volume& volume, int shard) {
    Disk& disk = *deps_.disks.disk(volume.disk_of(shard));
    TRY_ASSIGN(auto file, disk.open(shard_path(volume.id(), shard), OpenMode::read));
    std::array<std::byte, kSuperblockBytes> bytes;
    const Status status = file->read_at(0, bytes);
    const auto superblock = status.ok() ? parse_superblock(bytes) : Result<Superblock>(status);
    if (!superblock.ok()) {
        if (superblock.code() == Code::unsupported) return superblock.error();
        deps_.disks.report_read_error(volume.disk_of(shard), superblock.error());
    } else if (superblock->volume != volume.id() || superblock->shard != shard) {
        return Status::corruption(fmt::format("{}: is shard {} of volume {:016x}",
                                              shard_path(volume.id(), shard),
                                              superblock->shard,
                                              superblock->volume));
    }
    return file;
}

Result<FileRef> StripeReader::open(Volume& volume, int shard, Wait wait) {
    FileSlot& slot = volume.file(shard);
    if (FileRef file = deps_.files.try_acquire(slot)) return file;
    if (wait == Wait::no) return Status::unavailable("not open");
    const int disk = volume.disk_of(shard);
    if (disk < 0 || deps_.disks.disk(disk) == nullptr) {
        return Status::unavailable(
            fmt::format("volume {:016x} shard {}: the disk is absent", volume.id(), shard));
    }
    return deps_.files.acquire(slot, [&] { return open_checked(volume, shard); });
}

Status StripeReader::read_file(FileRef& file, std::uint64_t offset, MutableBytes out, Wait wait) {
    if (wait == Wait::yes) return file->read_at(offset, out);
    return file->try_read_at(offset, out) ? Status() : Status::unavailable("not in memory");
}

void StripeReader::count_error(const Stripe& stripe, int shard, const Status& status) {
    const int disk = stripe.volume->disk_of(shard);
    if (disk < 0 || deps_.disks.disk(disk) == nullptr) return;
    if (status.code() == Code::unavailable) return;  // too many open files: not the disk's doing
    deps_.disks.report_read_error(disk, status);
}

// ---- one shard

Status StripeReader::read_plain(const Stripe& stripe, const Segments& segments, Wait wait) {
    for (std::size_t i = 0; i < segments.count; ++i) {
        const Segment& s = segments.at[i];
        TRY_ASSIGN(FileRef file, open(*stripe.volume, s.shard, wait));
        TRY(read_file(file, stripe.place + stripe.header_bytes + s.from, s.out, wait));
    }
    return {};
}

Result<ShardHeader> StripeReader::header(const Stripe& stripe,
                                         int shard,
                                         FileRef& file,
                                         Wait wait) {
    const VolumeId volume = stripe.volume->id();
    auto known = headers_.find(volume, stripe.place, shard);
    if (!known) {
        std::array<std::byte, kHeaderBytesMax> memory;
        const MutableBytes bytes = MutableBytes(memory).first(stripe.header_bytes);
        TRY(read_file(file, stripe.place, bytes, wait));
        TRY_ASSIGN(const auto parsed, StripeHeader::parse(bytes));
        const StripePrologue& p = parsed.prologue();
        const Geometry geometry{p.data, p.parity};
        if (p.volume != volume || p.place != stripe.place || p.shard != shard ||
            geometry != stripe.volume->geometry()) {
            return Status::corruption(fmt::format("{}: the header is another's, {}",
                                                  describe(volume, shard, stripe.place),
                                                  describe(p.volume, p.shard, p.place)));
        }
        known =
            ShardHeader{volume, stripe.place, p.nonce, p.header_bytes, p.column_bytes, shard, {}};
        for (std::size_t i = 0; i < parsed.granule_count(); ++i) {
            known->granules.at(i) = parsed.granule_crc(i);
        }
        headers_.put(*known);
    }
    if (known->nonce != stripe.nonce || known->header_bytes != stripe.header_bytes ||
        known->column_bytes != stripe.column_bytes) {
        return Status::corruption(
            fmt::format("{}: another stripe than expected", describe(volume, shard, stripe.place)));
    }
    return *known;
}

Status StripeReader::read_granules(const Stripe& stripe, const Segment& segment, Wait wait) {
    TRY_ASSIGN(FileRef file, open(*stripe.volume, segment.shard, wait));
    TRY_ASSIGN(const ShardHeader head, header(stripe, segment.shard, file, wait));
    const std::uint64_t column = stripe.place + stripe.header_bytes;
    const auto check = [&](std::size_t at, Bytes bytes) -> Status {
        for (; !bytes.empty(); at += kGranuleBytes) {
            const std::size_t size = std::min(kGranuleBytes, bytes.size());
            if (crc32c(bytes.first(size)) != head.granules.at(at / kGranuleBytes)) {
                return Status::corruption(
                    fmt::format("{}: wrong bytes in the column at {}",
                                describe(stripe.volume->id(), segment.shard, stripe.place),
                                at));
            }
            bytes = bytes.subspan(size);
        }
        return {};
    };
    std::size_t at = segment.from;
    MutableBytes out = segment.out;
    while (!out.empty()) {
        const std::size_t granule = at / kGranuleBytes * kGranuleBytes;
        const std::size_t granule_end =
            std::min<std::size_t>(granule + kGranuleBytes, stripe.column_bytes);
        if (at == granule && at + out.size() >= granule_end) {
            // Whole granules go straight to where they are wanted.
            const bool to_end = at + out.size() == stripe.column_bytes;
            const std::size_t size =
                to_end ? out.size() : out.size() / kGranuleBytes * kGranuleBytes;
            TRY(read_file(file, column + at, out.first(size), wait));
            TRY(check(at, out.first(size)));
            out = out.subspan(size);
            at += size;
            continue;
        }
        std::array<std::byte, kGranuleBytes> memory;
        const MutableBytes whole = MutableBytes(memory).first(granule_end - granule);
        TRY(read_file(file, column + granule, whole, wait));
        TRY(check(granule, whole));
        const std::size_t size = std::min(out.size(), granule_end - at);
        std::ranges::copy(whole.subspan(at - granule, size), out.begin());
        out = out.subspan(size);
        at += size;
    }
    return {};
}

Status StripeReader::read_checked(const Stripe& stripe, const Segment& segment, Wait wait) {
    Status status = read_granules(stripe, segment, wait);
    if (!status.ok() && wait == Wait::yes) count_error(stripe, segment.shard, status);
    return status;
}

// ---- rebuilding

Status StripeReader::rebuild_granules(const Stripe& stripe,
                                      const Segment& segment,
                                      const Status& why) {
    const Geometry geometry = stripe.volume->geometry();
    const auto data = static_cast<std::size_t>(geometry.data);
    const std::size_t size = segment.out.size();
    Buffer memory(data * size);
    std::array<int, kShardsMax> have{};  // shards whose bytes are in the parts of `memory`
    std::array<Status, kShardsMax> statuses;
    std::size_t good = 0;
    bool out_of_files = why.why() == Why::busy;
    for (int next = 0; good < data;) {
        std::size_t tried = good;
        for (; next < geometry.shards() && tried < data; ++next) {
            if (next != segment.shard) have.at(tried++) = next;
        }
        if (tried == good) {
            auto message = fmt::format(
                "{}: only {} other shards are good, {} are needed", why.message(), good, data);
            return out_of_files ? Status::unavailable(std::move(message), Why::busy)
                                : Status::io_error(std::move(message));
        }
        run(tried - good, (tried - good) * size, [&](std::size_t i) {
            const std::size_t part = good + i;
            const Segment other{
                have.at(part), segment.from, memory.span().subspan(part * size, size)};
            statuses.at(part) = read_checked(stripe, other, Wait::yes);
        });
        // Good parts move to the front; what comes next takes the places of the bad ones.
        for (std::size_t part = good; part < tried; ++part) {
            if (!statuses.at(part).ok()) {
                out_of_files |= statuses.at(part).why() == Why::busy;
                continue;
            }
            if (part != good) {
                const Bytes from = memory.span().subspan(part * size, size);
                std::ranges::copy(from, memory.span().subspan(good * size, size).begin());
                have.at(good) = have.at(part);
            }
            ++good;
        }
    }
    std::array<Bytes, kShardsMax> parts;
    for (std::size_t i = 0; i < data; ++i) parts.at(i) = memory.span().subspan(i * size, size);
    stripe.volume->codec().reconstruct(std::span(parts).first(data),
                                       std::span(have).first(data),
                                       {{segment.shard}},
                                       {{segment.out}});
    return {};
}

Status StripeReader::rebuild(const Stripe& stripe, const Segment& segment, const Status& why) {
    std::size_t at = segment.from;
    MutableBytes out = segment.out;
    Buffer window;
    while (!out.empty()) {
        const std::size_t from = at / kGranuleBytes * kGranuleBytes;
        const std::size_t to = std::min<std::size_t>(
            {from + kRebuildBytes, round_up(at + out.size(), kGranuleBytes), stripe.column_bytes});
        if (window.empty()) window = Buffer(std::min(kRebuildBytes, to - from));
        const MutableBytes bytes = window.span().first(to - from);
        TRY(rebuild_granules(
            stripe, {segment.shard, static_cast<std::uint32_t>(from), bytes}, why));
        const std::size_t size = std::min(out.size(), to - at);
        std::ranges::copy(bytes.subspan(at - from, size), out.begin());
        out = out.subspan(size);
        at += size;
    }
    return {};
}

// ---- whole reads

Status StripeReader::read_segments(const Stripe& stripe, const Segments& segments) {
    std::array<Status, kShardsMax> statuses;
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < segments.count; ++i) bytes += segments.at[i].out.size();
    run(segments.count, bytes, [&](std::size_t i) {
        const Segment& segment = segments.at.at(i);
        Status status = read_checked(stripe, segment, Wait::yes);
        if (!status.ok()) status = rebuild(stripe, segment, status);
        statuses.at(i) = std::move(status);
    });
    for (std::size_t i = 0; i < segments.count; ++i) TRY(std::move(statuses[i]));
    return {};
}

Status StripeReader::read_small(const Stripe& stripe, const Extent& extent, MutableBytes out) {
    const Segments segments = cut(stripe, extent.payload_offset, out);
    if (read_plain(stripe, segments, Wait::yes).ok() && crc32c(out) == extent.crc) return {};
    // Some shard is bad: the granules tell which.
    TRY(read_segments(stripe, segments));
    if (crc32c(out) == extent.crc) return {};
    return Status::corruption(fmt::format(
        "volume {:016x}: the stripe at {} and its extent disagree", extent.volume, extent.place));
}

Status StripeReader::read(const Extent& extent, std::uint64_t offset, MutableBytes out) {
    TRY_ASSIGN(const Stripe stripe, find(extent, offset, out.size()));
    if (out.empty()) return {};
    if (extent.has_crc && extent.length <= kExtentCrcBytesMax) {
        if (out.size() == extent.length) return read_small(stripe, extent, out);
        std::array<std::byte, kExtentCrcBytesMax> memory;
        const MutableBytes whole = MutableBytes(memory).first(extent.length);
        TRY(read_small(stripe, extent, whole));
        std::ranges::copy(whole.subspan(offset, out.size()), out.begin());
        return {};
    }
    const auto payload_offset = static_cast<std::uint32_t>(extent.payload_offset + offset);
    return read_segments(stripe, cut(stripe, payload_offset, out));
}

bool StripeReader::try_read_small(const Stripe& stripe, const Extent& extent, MutableBytes out) {
    const Segments segments = cut(stripe, extent.payload_offset, out);
    return read_plain(stripe, segments, Wait::no).ok() && crc32c(out) == extent.crc;
}

bool StripeReader::try_read(const Extent& extent, std::uint64_t offset, MutableBytes out) {
    const auto stripe = find(extent, offset, out.size());
    if (!stripe.ok()) return false;
    if (extent.has_crc && extent.length <= kExtentCrcBytesMax) {
        if (out.size() == extent.length) return try_read_small(*stripe, extent, out);
        std::array<std::byte, kExtentCrcBytesMax> memory;
        const MutableBytes whole = MutableBytes(memory).first(extent.length);
        if (!try_read_small(*stripe, extent, whole)) return false;
        std::ranges::copy(whole.subspan(offset, out.size()), out.begin());
        return true;
    }
    const auto payload_offset = static_cast<std::uint32_t>(extent.payload_offset + offset);
    const Segments segments = cut(*stripe, payload_offset, out);
    for (std::size_t i = 0; i < segments.count; ++i) {
        if (!read_checked(*stripe, segments.at[i], Wait::no).ok()) return false;
    }
    return true;
}

}  // namespace objstore
