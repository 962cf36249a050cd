#pragma once

#include <compare>
#include <cstdint>

namespace objstore {

inline constexpr int kShardsMax = 16;

// How a stripe is cut: `data` columns and `parity` more shards; any `data` of them give it back.
struct Geometry {
    std::uint8_t data = 1;
    std::uint8_t parity = 0;

    int shards() const { return data + parity; }
    bool valid() const { return data >= 1 && shards() <= kShardsMax; }
    auto operator<=>(const Geometry&) const = default;
};

// What MinIO users expect of so many disks, at least 1; of more than 16, volumes lie on some 16.
Geometry default_geometry(int disk_count);

}  // namespace objstore
