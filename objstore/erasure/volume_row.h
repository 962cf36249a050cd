#pragma once

#include <array>
#include <cstdint>

#include "objstore/erasure/geometry.h"

namespace objstore {

using VolumeId = std::uint64_t;  // random, never 0, never reused
using DiskId = std::uint64_t;    // from the disk's label, never 0

enum class VolumeState : std::uint8_t { open = 1, sealed = 2 };

// What the namespace knows of a volume: small, and the only list of volumes there is.
struct VolumeRow {
    VolumeId id = 0;
    Geometry geometry;
    VolumeState state = VolumeState::open;
    std::array<DiskId, kShardsMax> disks{};  // shard i lies on disks[i]
    std::uint8_t code = 1;                   // 1: Reed-Solomon, Cauchy matrix of Codec
    std::uint8_t checksum = 1;               // 1: CRC32C
    std::uint8_t storage_class = 0;
    std::uint8_t pool = 0;
    std::uint64_t node = 0;           // its maker
    std::uint64_t length = 0;         // sealed: bytes of each shard file before its footer
    std::uint64_t payload_bytes = 0;  // sealed: payload ever appended
    // Kept by the namespace, exact at each commit:
    std::uint64_t live_bytes = 0;  // payload bytes that some extent names
    std::uint64_t named_end = 0;   // end in the shard files of the last stripe ever named
};

}  // namespace objstore
