#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "objstore/base/bytes.h"
#include "objstore/base/clock.h"
#include "objstore/base/status.h"
#include "objstore/disk/disk.h"

namespace objstore {

// The file in the root of each disk that says which disk of which deployment it is.
inline constexpr const char* kLabelFile = "ashlar.disk";
inline constexpr const char* kStagedLabelFile = "ashlar.disk.new";  // while it is written
inline constexpr std::size_t kLabelBytes = 20'480;
inline constexpr std::size_t kLabelDisksMax = 64;

// 128 random bits that all disks of one deployment share.
struct DeploymentId {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    bool operator==(const DeploymentId&) const = default;
};
std::string to_string(const DeploymentId& id);  // 32 hexadecimal digits

// What a newer Ashlar has done to a disk that this one must know of. An unknown bit in
// `incompatible` forbids to open it, in `read_only_compatible` to write; `compatible` is for
// information.
struct FeatureMasks {
    std::uint64_t compatible = 0;
    std::uint64_t read_only_compatible = 0;
    std::uint64_t incompatible = 0;
    bool operator==(const FeatureMasks&) const = default;
};

// What labels tell of each disk: where and how large it was when it was last here, so that people
// can be told which one is missing.
struct LabelDisk {
    std::uint64_t id = 0;           // a random number
    std::uint64_t total_bytes = 0;  // 0: unknown
    std::string path;               // its last kLabelPathBytesMax bytes
    bool operator==(const LabelDisk&) const = default;
};
inline constexpr std::size_t kLabelPathBytesMax = 232;

struct DiskLabel {
    FeatureMasks features;
    DeploymentId deployment;
    std::uint32_t index = 0;  // of this disk in `disks`
    UnixNanos created = 0;
    // Goes up with each change. Where labels disagree, since a crash or an absent disk kept one
    // from being written, the highest is right.
    std::uint64_t sequence = 1;
    std::vector<LabelDisk> disks;  // all of the deployment, none twice

    std::uint64_t disk_id() const { return disks.at(index).id; }
    bool operator==(const DiskLabel&) const = default;
};

// The bytes of the label file, little-endian:
//
//   offset  bytes
//        0      8  magic: the letters ASHLARDK
//        8      4  format of this structure: 1
//       12      4  number of disks, 1 to 64
//       16      8  compatible features
//       24      8  read-only compatible features
//       32      8  incompatible features
//       40      8  deployment id, high half
//       48      8  deployment id, low half
//       56      8  id of this disk, one of those below
//       64      4  index of this disk, 0 to number of disks - 1
//       68      4  zero
//       72      8  time of creation, nanoseconds since 1970
//       80      8  sequence, from 1
//       88    168  zero
//      256 16,384  a LabelDiskBytes of each disk in order of index; zero past their number
//   16,640  3,836  zero
//   20,476      4  CRC32C of the bytes before
struct LabelDiskBytes {
    std::uint64_t id;                           //  0
    std::uint64_t total_bytes;                  //  8
    std::uint32_t path_bytes;                   // 16  0 to 232
    std::uint32_t zero;                         // 20
    std::array<char, kLabelPathBytesMax> path;  // 24
};
static_assert(sizeof(LabelDiskBytes) == 256);

struct DiskLabelBytes {
    std::array<char, 8> magic;
    std::uint32_t format;
    std::uint32_t disk_count;
    std::uint64_t compatible;
    std::uint64_t read_only_compatible;
    std::uint64_t incompatible;
    std::uint64_t deployment_high;
    std::uint64_t deployment_low;
    std::uint64_t disk_id;
    std::uint32_t disk_index;
    std::uint32_t zero;
    std::int64_t created;
    std::uint64_t sequence;
    std::array<std::byte, 168> reserved1;
    std::array<LabelDiskBytes, kLabelDisksMax> disks;
    std::array<std::byte, 3836> reserved2;
    std::uint32_t crc;
};
static_assert(sizeof(DiskLabelBytes) == kLabelBytes);
static_assert(offsetof(DiskLabelBytes, disks) == 256);
static_assert(std::has_unique_object_representations_v<DiskLabelBytes>);

// corruption: not a label, or rotten. unsupported: a newer format, or unknown incompatible
// features.
Result<DiskLabel> parse_label(Bytes bytes);
DiskLabelBytes to_bytes(const DiskLabel& label);
// "/mnt/d3 (4000 GB, id 3132333435363738)", as far as it is known.
std::string describe(const LabelDisk& disk);

// None when the disk has no label. Errors of parse_label and of the disk.
Result<std::optional<DiskLabel>> read_label(Disk& disk);
// Writes or replaces the label; durable and whole when it returns ok. Costs two syncs.
Status write_label(Disk& disk, const DiskLabel& label);

enum class DiskState : unsigned char {
    member,  // has a label of the deployment
    blank,   // empty: a disk that was replaced and waits for repair
    failed,  // can not be read, or its label is rotten
};

// What became of one of the disks given.
struct DiskMember {
    DiskState state = DiskState::failed;
    std::optional<DiskLabel> label;  // of a member
    std::string error;               // of a failed one
};

struct DeploymentDisks {
    DeploymentId deployment;
    std::vector<LabelDisk> disks;     // all of the deployment, by index
    std::vector<DiskMember> members;  // one for each disk given, in the order given
    bool formatted = false;           // this call made the deployment
    bool read_only = false;           // unknown read-only compatible features

    std::size_t disk_count() const { return disks.size(); }
    std::size_t member_count() const;
};

// Finds out what the disks are. All empty: makes them a new deployment. That survives a crash at
// any point: the next call with the same disks finishes it, as long as nothing but labels was
// written. How many missing disks are too many is the caller's to decide. Refuses, each with a
// sentence for the operator: a directory with foreign files, disks of two deployments, one disk
// given twice, more disks than the deployment has (conflict); a newer format (unsupported); to
// format when a disk can not be read (unavailable).
Result<DeploymentDisks> open_or_format(std::span<Disk* const> disks,
                                       Random& random,
                                       const Clock& clock);

}  // namespace objstore
