#include "objstore/meta/sqlite_wal.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include <fmt/format.h>

#include "objstore/meta/sqlite_vfs.h"

namespace objstore {

namespace {

constexpr std::uint64_t kHeaderBytes = 32;
constexpr std::uint64_t kFrameHeaderBytes = 24;
constexpr std::uint64_t kFrameBytes = kFrameHeaderBytes + kSqlitePageBytes;
constexpr std::size_t kSummedBytes = 8;      // of a frame's header: page number, database size
constexpr std::size_t kDatabasePagesAt = 4;  // not 0: the frame ends a commit
constexpr std::size_t kFrameSaltsAt = 8;
constexpr std::size_t kFrameChecksumAt = 16;
constexpr std::size_t kSequenceAt = 12;  // in the header of the log
constexpr std::size_t kHeaderSaltsAt = 16;
constexpr std::size_t kSaltBytes = 8;
constexpr std::size_t kHeaderChecksumAt = 24;
constexpr std::uint32_t kMagic = 0x377f0682;  // checksums over little-endian words

// The WAL's numbers are stored with the high byte first.
std::uint32_t load_high_first(Bytes bytes) {
    return __builtin_bswap32(load<std::uint32_t>(bytes));
}

SqliteWalChecksum load_checksum(Bytes bytes) {
    return {load_high_first(bytes), load_high_first(bytes.subspan(4))};
}

std::uint64_t offset_of(std::uint32_t frame) {
    return kHeaderBytes + std::uint64_t{frame - 1} * kFrameBytes;
}

SqliteWalChecksum frame_checksum(SqliteWalChecksum before, Bytes header, Bytes page) {
    return sqlite_wal_checksum(sqlite_wal_checksum(before, header.first(kSummedBytes)), page);
}

// Whether a header can be that of a frame of this log. Frames from before the log began anew have
// other salts, and none is of page 0.
bool belongs(Bytes frame_header, Bytes wal_header) {
    const Bytes salts = wal_header.subspan(kHeaderSaltsAt, kSaltBytes);
    const Bytes found = frame_header.subspan(kFrameSaltsAt, kSaltBytes);
    return load_high_first(frame_header) != 0 &&
           std::equal(salts.begin(), salts.end(), found.begin());
}

// Where the chain of frames ends, as SQLite's recovery finds it: at the first frame that does not
// belong to it. One that can not be read ends it only when its header can be and is no part: it
// might be a commit that was acknowledged else.
Result<std::uint64_t> find_end(const File& wal) {
    std::array<std::byte, kHeaderBytes> header;
    TRY(wal.read_at(0, header).with_context("header of the log"));
    auto sum = sqlite_wal_checksum({}, Bytes(header).first(kHeaderChecksumAt));
    const bool is_whole = load_high_first(header) == kMagic &&
                          sum == load_checksum(Bytes(header).subspan(kHeaderChecksumAt));
    if (!is_whole) return Status::corruption("header of the log");
    std::array<std::byte, kFrameBytes> frame;
    const Bytes frame_header = Bytes(frame).first(kFrameHeaderBytes);
    for (std::uint32_t i = 1;; ++i) {
        auto got = wal.read_some_at(offset_of(i), frame);
        if (!got.ok()) {
            const auto head =
                wal.read_at(offset_of(i), MutableBytes(frame).first(kFrameHeaderBytes));
            if (head.ok() && !belongs(frame_header, header)) return offset_of(i);
            return std::move(got).error().with_context(fmt::format("frame {} of the log", i));
        }
        if (*got < frame.size() || !belongs(frame_header, header)) return offset_of(i);
        sum = frame_checksum(sum, frame_header, Bytes(frame).subspan(kFrameHeaderBytes));
        if (sum != load_checksum(frame_header.subspan(kFrameChecksumAt))) return offset_of(i);
    }
}

// Fills `part` from `offset` block by block. Returns how many bytes could not be read; they are
// zeros. An error: some of those lie before `end`.
Result<std::uint64_t> read_what_can_be(const File& wal,
                                       std::uint64_t offset,
                                       std::uint64_t end,
                                       MutableBytes part) {
    std::uint64_t lost_bytes = 0;
    for (std::size_t at = 0; at < part.size(); at += kBlockBytes) {
        const MutableBytes block =
            part.subspan(at, std::min<std::size_t>(kBlockBytes, part.size() - at));
        Status status = wal.read_at(offset + at, block);
        if (status.ok()) continue;
        if (offset + at < end) return status;
        std::fill(block.begin(), block.end(), std::byte{0});
        lost_bytes += block.size();
    }
    return lost_bytes;
}

}  // namespace

SqliteWalChecksum sqlite_wal_checksum(SqliteWalChecksum before, Bytes bytes) {
    ASSERT(bytes.size() % 8 == 0);
    for (std::size_t at = 0; at < bytes.size(); at += 8) {
        before.first += load<std::uint32_t>(bytes.subspan(at)) + before.second;
        before.second += load<std::uint32_t>(bytes.subspan(at + 4)) + before.first;
    }
    return before;
}

std::uint32_t sqlite_wal_frame_at(std::uint64_t offset) {
    constexpr std::uint64_t kFirst = kHeaderBytes + kFrameHeaderBytes;
    if (offset < kFirst || (offset - kFirst) % kFrameBytes != 0) return 0;
    return static_cast<std::uint32_t>((offset - kFirst) / kFrameBytes + 1);
}

Status read_sqlite_wal_page(const File& wal, std::uint32_t frame, MutableBytes page) {
    ASSERT(frame > 0);
    ASSERT(page.size() == kSqlitePageBytes);
    // From the checksum before the frame, which is in the header of the frame or WAL before it.
    const bool is_first = frame == 1;
    const std::uint64_t before_bytes = is_first ? kHeaderBytes : kFrameBytes;
    const std::size_t checksum_at = is_first ? kHeaderChecksumAt : kFrameChecksumAt;
    std::array<std::byte, 2 * kFrameBytes> buffer;
    const MutableBytes read = MutableBytes(buffer).first(before_bytes + kFrameBytes);
    const ReadCheck check{
        before_bytes, [before_bytes, checksum_at](Bytes bytes) {
            const Bytes header = bytes.subspan(before_bytes);
            const auto before = load_checksum(bytes.subspan(checksum_at));
            const auto stored = load_checksum(header.subspan(kFrameChecksumAt));
            // Zeros have the checksum of zeros, but no frame is of page 0.
            return load_high_first(header) != 0 &&
                   frame_checksum(before, header, header.subspan(kFrameHeaderBytes)) == stored;
        }};
    const Status status = wal.read_checked_at(offset_of(frame) - before_bytes, read, check);
    if (status.code() == Code::corruption) {
        return Status::corruption(fmt::format("frame {} is corrupt", frame));
    }
    TRY(status);
    std::memcpy(page.data(), read.data() + before_bytes + kFrameHeaderBytes, page.size());
    return {};
}

Result<bool> is_whole_sqlite_wal(const File& wal,
                                 std::uint32_t frames,
                                 SqliteWalChecksum checksum) {
    std::array<std::byte, kHeaderBytes> header;
    TRY_ASSIGN(const std::size_t length, wal.read_some_at(0, header));
    if (length < header.size() || load_high_first(header) != kMagic) return false;
    auto sum = sqlite_wal_checksum({}, Bytes(header).first(kHeaderChecksumAt));
    if (sum != load_checksum(Bytes(header).subspan(kHeaderChecksumAt))) return false;
    std::array<std::byte, kFrameBytes> frame;
    for (std::uint32_t i = 1; i <= frames; ++i) {
        TRY_ASSIGN(const std::size_t got, wal.read_some_at(offset_of(i), frame));
        if (got < frame.size()) return false;
        const Bytes frame_header = Bytes(frame).first(kFrameHeaderBytes);
        sum = frame_checksum(sum, frame_header, Bytes(frame).subspan(kFrameHeaderBytes));
        if (sum != load_checksum(frame_header.subspan(kFrameChecksumAt))) return false;
    }
    return frames == 0 || sum == checksum;
}

SqliteWalScan scan_sqlite_wal(const File& wal) {
    SqliteWalScan scan;
    std::array<std::byte, kHeaderBytes> header{};
    const auto got_header = wal.read_some_at(0, header);
    scan.ends_cleanly = got_header.ok();
    auto sum = sqlite_wal_checksum({}, Bytes(header).first(kHeaderChecksumAt));
    const bool is_whole = load_high_first(header) == kMagic &&
                          sum == load_checksum(Bytes(header).subspan(kHeaderChecksumAt));
    if (!got_header.ok() || !is_whole) return scan;
    scan.sequence = load_high_first(Bytes(header).subspan(kSequenceAt));
    scan.end = kHeaderBytes;
    std::array<std::byte, kFrameBytes> frame;
    const Bytes frame_header = Bytes(frame).first(kFrameHeaderBytes);
    std::vector<std::uint32_t> pages;
    for (std::uint32_t i = 1;; ++i) {
        const auto got = wal.read_some_at(offset_of(i), frame);
        scan.ends_cleanly = got.ok();
        if (!got.ok() || *got < frame.size() || !belongs(frame_header, header)) break;
        sum = frame_checksum(sum, frame_header, Bytes(frame).subspan(kFrameHeaderBytes));
        if (sum != load_checksum(frame_header.subspan(kFrameChecksumAt))) break;
        pages.push_back(load_high_first(frame_header));
        const std::uint32_t size = load_high_first(frame_header.subspan(kDatabasePagesAt));
        if (size == 0) continue;
        scan.frames = i;
        scan.end = offset_of(i + 1);
        scan.checksum = sum;
        scan.database_pages = size;
    }
    pages.resize(scan.frames);
    std::ranges::sort(pages);
    pages.erase(std::unique(pages.begin(), pages.end()), pages.end());
    scan.pages = std::move(pages);
    return scan;
}

Status rewrite_sqlite_wal(const File& source, const SqliteWalScan& scan, File& target) {
    static constexpr std::array<std::byte, kHeaderBytes + kFrameBytes> kZeros{};
    Buffer buffer(kMiB);
    for (std::uint64_t offset = 0; offset < scan.end; offset += buffer.size()) {
        const MutableBytes part =
            buffer.span().first(std::min<std::uint64_t>(buffer.size(), scan.end - offset));
        TRY(source.read_at(offset, part));
        TRY(target.write_at(offset, Bytes(part)));
    }
    TRY_ASSIGN(const std::uint64_t size, target.size());
    const std::uint64_t behind =
        std::min<std::uint64_t>(size - std::min(size, scan.end), kZeros.size());
    TRY(target.write_at(scan.end, Bytes(kZeros).first(behind)));
    return target.sync();
}

Result<std::uint64_t> rewrite_sqlite_wal(File& wal) {
    TRY_ASSIGN(const std::uint64_t size, wal.size());
    Buffer buffer(kMiB);
    std::uint64_t lost_bytes = 0;
    std::optional<std::uint64_t> end;
    for (std::uint64_t offset = 0; offset < size; offset += buffer.size()) {
        const MutableBytes part =
            buffer.span().first(std::min<std::uint64_t>(buffer.size(), size - offset));
        if (!wal.read_at(offset, part).ok()) {
            if (!end) {
                TRY_ASSIGN(end, find_end(wal));
            }
            TRY_ASSIGN(const std::uint64_t lost, read_what_can_be(wal, offset, *end, part));
            lost_bytes += lost;
        }
        TRY(wal.write_at(offset, Bytes(part)));
    }
    TRY(wal.sync());
    return lost_bytes;
}

}  // namespace objstore
