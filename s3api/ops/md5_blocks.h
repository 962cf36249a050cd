#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace s3api {

// The blocks of MD5 (RFC 1321), without what its end adds. OpenSSL hashes one stream at a time, and
// MD5 can not go faster than one step after another: but several streams fit into one vector.
inline constexpr std::size_t kMd5BlockBytes = 64;
inline constexpr std::size_t kMd5Lanes = 8;

using Md5Words = std::array<std::uint32_t, 4>;
inline constexpr Md5Words kMd5Start{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};

void md5_blocks(Md5Words& state, const std::byte* data, std::size_t blocks);

struct Md5Lane {
    Md5Words* state = nullptr;
    const std::byte* data = nullptr;
};
// As many blocks of each, of kMd5Lanes at most. Where the processor has no vectors for it, one
// after another.
void md5_blocks(std::span<const Md5Lane> lanes, std::size_t blocks);
// One thread is then faster with all lanes than with one.
bool md5_has_vectors();

}  // namespace s3api
