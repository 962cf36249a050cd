#pragma once

#include <array>
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
inline constexpr std::size_t kLabelBytes = 4096;
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

struct DiskLabel {
    FeatureMasks features;
    DeploymentId deployment;
    std::uint32_t index = 0;  // of this disk in `disk_ids`
    UnixNanos created = 0;
    // All disks of the deployment when it was formatted, random numbers, none twice.
    std::vector<std::uint64_t> disk_ids;

    std::uint64_t disk_id() const { return disk_ids.at(index); }
    bool operator==(const DiskLabel&) const = default;
};

// The bytes of the label file, little-endian:
//
//   offset  bytes
//        0      8  magic: the letters ASHLARDK
//        8      4  format of this structure: 1
//       12      4  number of disks when the deployment was formatted, 1 to 64
//       16      8  compatible features
//       24      8  read-only compatible features
//       32      8  incompatible features
//       40      8  deployment id, high half
//       48      8  deployment id, low half
//       56      8  id of this disk, one of those below
//       64      4  index of this disk, 0 to number of disks - 1
//       68      4  zero
//       72      8  time of creation, nanoseconds since 1970
//       80    512  ids of all disks in order of index, 8 bytes each; zero past their number
//      592   3500  zero
//     4092      4  CRC32C of the bytes before
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
    std::array<std::uint64_t, kLabelDisksMax> disk_ids;
    std::array<std::byte, 3500> reserved;
    std::uint32_t crc;
};
static_assert(sizeof(DiskLabelBytes) == kLabelBytes);
static_assert(std::has_unique_object_representations_v<DiskLabelBytes>);

// corruption: not a label, or rotten. unsupported: a newer format, or unknown incompatible
// features.
Result<DiskLabel> parse_label(Bytes bytes);
DiskLabelBytes to_bytes(const DiskLabel& label);

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

struct DiskSet {
    DeploymentId deployment;
    std::vector<std::uint64_t> disk_ids;  // of all disks of the deployment, by index
    std::vector<DiskMember> members;      // one for each disk given, in the order given
    bool formatted = false;               // this call wrote labels
    bool read_only = false;               // unknown read-only compatible features

    std::size_t disk_count() const { return disk_ids.size(); }
    std::size_t member_count() const;
};

// Finds out what the disks are. All empty: makes them a new deployment. That survives a crash at
// any point: the next call with the same disks finishes it, as long as nothing but labels was
// written. How many missing disks are too many is the caller's to decide. Refuses, each with a
// sentence for the operator: a directory with foreign files, disks of two deployments, one disk
// given twice, more disks than the deployment has (conflict); a newer format (unsupported); to
// format when a disk can not be read (unavailable).
Result<DiskSet> open_or_format(std::span<Disk* const> disks, Random& random, const Clock& clock);

}  // namespace objstore
