#pragma once

#include <cstdint>
#include <cstring>

#include "objstore/base/bytes.h"

namespace nfs {

// XDR is big-endian and made of 4-byte units.

inline std::uint32_t load_u32(const std::byte* from) {
    std::uint32_t value = 0;
    std::memcpy(&value, from, sizeof(value));
    return __builtin_bswap32(value);
}
inline std::uint64_t load_u64(const std::byte* from) {
    std::uint64_t value = 0;
    std::memcpy(&value, from, sizeof(value));
    return __builtin_bswap64(value);
}
inline void store_u32(std::byte* to, std::uint32_t value) {
    value = __builtin_bswap32(value);
    std::memcpy(to, &value, sizeof(value));
}
inline void store_u64(std::byte* to, std::uint64_t value) {
    value = __builtin_bswap64(value);
    std::memcpy(to, &value, sizeof(value));
}

// A size with XDR's padding to the next unit of 4 bytes.
constexpr std::size_t padded(std::size_t size_bytes) {
    return (size_bytes + 3) & ~std::size_t{3};
}

}  // namespace nfs
