#include "objstore/erasure/geometry.h"

#include <algorithm>
#include <array>

#include "objstore/base/assert.h"

namespace objstore {

Geometry default_geometry(int disk_count) {
    // Half the disks for parity up to 2 of 4 and 4 of 8; beyond that four, as MinIO users expect.
    static constexpr std::array<Geometry, kShardsMax> kByDiskCount = {{
        {1, 0},
        {1, 1},
        {2, 1},
        {2, 2},
        {3, 2},
        {4, 2},
        {4, 3},
        {4, 4},
        {5, 4},
        {6, 4},
        {7, 4},
        {8, 4},
        {9, 4},
        {10, 4},
        {11, 4},
        {12, 4},
    }};
    ASSERT(disk_count >= 1);
    return kByDiskCount.at(static_cast<std::size_t>(std::min(disk_count, kShardsMax)) - 1);
}

}  // namespace objstore
