#pragma once

#include <cstdint>

namespace objstore {

// A permutation of 64 bits without pattern (the finalizer of splitmix64). Stored: never changes.
constexpr std::uint64_t mix(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

}  // namespace objstore
