#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "objstore/base/bytes.h"
#include "objstore/base/status.h"
#include "objstore/disk/label.h"
#include "objstore/erasure/volume_row.h"

namespace objstore {

// The file on each disk that says which disks belong to the deployment and which of them have the
// namespace: two slots, of which the one with the higher (epoch, started) counts. What is done with
// it, and why, is in docs/decisions/2026-11-22-mirrors-of-the-namespace.md.
inline constexpr const char* kMirrorRecordFile = "meta/mirrors";
inline constexpr const char* kStagedMirrorRecordFile = "meta/mirrors.new";
inline constexpr std::size_t kMirrorSlotBytes = 4096;
inline constexpr std::size_t kMirrorVotersMax = 64;

// A number that only grows: a start takes a new one, and each change since then a step.
struct MirrorEpoch {
    std::uint64_t start = 0;
    std::uint64_t step = 0;
    auto operator<=>(const MirrorEpoch&) const = default;
};

// One disk's copy of the namespace. The incarnation is random, fresh for each attempt to join, and
// part of the names of its files.
struct MirrorEntry {
    DiskId disk = 0;
    std::uint64_t incarnation = 0;
    bool operator==(const MirrorEntry&) const = default;
};

struct MirrorRecord {
    FeatureMasks features;
    DeploymentId deployment;
    DiskId disk = 0;  // the one that it lies on
    std::uint64_t started = 0;
    MirrorEpoch epoch;
    std::uint32_t parity = 0;          // so many of the voters may be lost
    std::vector<DiskId> voters;        // all disks of the deployment
    std::vector<MirrorEntry> mirrors;  // some of them; none: no namespace was ever made

    bool operator==(const MirrorRecord&) const = default;
    // So many records must be read to know the newest, and written to make another the newest.
    std::size_t read_quorum() const { return voters.size() - parity; }
    std::size_t write_quorum() const { return std::size_t{parity} + 1; }
};

// The bytes of a slot, little-endian:
//
//   offset  bytes
//        0      8  magic: the letters ASHLARMR
//        8      4  format of this structure: 1
//       12      4  zero
//       16      8  compatible features
//       24      8  read-only compatible features
//       32      8  incompatible features
//       40      8  deployment id, high half
//       48      8  deployment id, low half
//       56      8  id of the disk that it lies on, one of the voters
//       64      8  started
//       72      8  epoch, start
//       80      8  epoch, step
//       88      4  number of voters, 1 to 64
//       92      4  parity, less than that
//       96      4  number of mirrors, 0 to number of voters
//      100      4  zero
//      104    512  ids of the voters, none twice; zero past their number
//      616  1,024  mirrors: disk id (one of the voters, none twice), incarnation (not zero)
//    1,640  2,452  zero
//    4,092      4  CRC32C of the bytes before, in all formats to come
struct MirrorRecordBytes {
    std::array<char, 8> magic;
    std::uint32_t format;
    std::uint32_t zero1;
    std::uint64_t compatible;
    std::uint64_t read_only_compatible;
    std::uint64_t incompatible;
    std::uint64_t deployment_high;
    std::uint64_t deployment_low;
    std::uint64_t disk;
    std::uint64_t started;
    std::uint64_t epoch_start;
    std::uint64_t epoch_step;
    std::uint32_t voter_count;
    std::uint32_t parity;
    std::uint32_t mirror_count;
    std::uint32_t zero2;
    std::array<std::uint64_t, kMirrorVotersMax> voters;
    std::array<std::array<std::uint64_t, 2>, kMirrorVotersMax> mirrors;
    std::array<std::byte, 2452> reserved;
    std::uint32_t crc;
};
static_assert(sizeof(MirrorRecordBytes) == kMirrorSlotBytes);
static_assert(offsetof(MirrorRecordBytes, mirrors) == 616);
static_assert(std::has_unique_object_representations_v<MirrorRecordBytes>);

// corruption: no record, or a rotten one. unsupported: a newer format, or unknown features that
// forbid to read or to write beside them.
Result<MirrorRecord> parse_mirror_record(Bytes slot);
MirrorRecordBytes to_bytes(const MirrorRecord& record);

// "meta/namespace-0123456789abcdef.db": of a mirror on its disk. The log's name has "-wal" more.
std::string mirror_path(std::uint64_t incarnation);

}  // namespace objstore
