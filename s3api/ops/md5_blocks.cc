#include "s3api/ops/md5_blocks.h"

#include <bit>
#include <cstring>

#include "objstore/base/assert.h"

namespace s3api {

namespace {

#define ALWAYS_INLINE [[gnu::always_inline]] inline

// The integer part of 2^32 |sin(i + 1)|.
constexpr std::array<std::uint32_t, 64> kSines = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391};
constexpr int kRotations[4][4] = {
    {7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};

// Steps I to 63 of a block. Word: of one stream, or a vector of one for each. All is inlined, so
// that a vector's are compiled for the instructions of the caller.
template <int I, typename Word>
ALWAYS_INLINE void steps(Word& a, Word& b, Word& c, Word& d, const Word* message) {
    if constexpr (I < 64) {
        constexpr int kRound = I / 16;
        constexpr int kRotation = kRotations[kRound][I % 4];
        Word mixed;
        int at = 0;
        if constexpr (kRound == 0) {
            mixed = d ^ (b & (c ^ d));
            at = I;
        } else if constexpr (kRound == 1) {
            mixed = c ^ (d & (b ^ c));
            at = (5 * I + 1) % 16;
        } else if constexpr (kRound == 2) {
            mixed = b ^ c ^ d;
            at = (3 * I + 5) % 16;
        } else {
            mixed = c ^ (b | ~d);
            at = (7 * I) % 16;
        }
        const Word sum = a + mixed + message[at] + kSines[I];
        a = b + ((sum << kRotation) | (sum >> (32 - kRotation)));
        steps<I + 1>(d, a, b, c, message);
    }
}

template <typename Word>
ALWAYS_INLINE void add_block(Word* state, const Word* message) {
    Word a = state[0];
    Word b = state[1];
    Word c = state[2];
    Word d = state[3];
    steps<0>(a, b, c, d, message);
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
}

#if defined(__x86_64__)

using Vector = std::uint32_t __attribute__((vector_size(4 * kMd5Lanes)));

// out[i] has word i of each row.
ALWAYS_INLINE void transpose(const Vector* rows, Vector* out) {
    Vector pairs[8];
    for (int i = 0; i < 8; i += 2) {
        const Vector a = rows[i];
        const Vector b = rows[i + 1];
        pairs[i] = __builtin_shufflevector(a, b, 0, 8, 1, 9, 4, 12, 5, 13);
        pairs[i + 1] = __builtin_shufflevector(a, b, 2, 10, 3, 11, 6, 14, 7, 15);
    }
    Vector fours[8];
    for (int i = 0; i < 8; i += 4) {
        for (int k = 0; k < 2; ++k) {
            const Vector a = pairs[i + k];
            const Vector b = pairs[i + k + 2];
            fours[i + 2 * k] = __builtin_shufflevector(a, b, 0, 1, 8, 9, 4, 5, 12, 13);
            fours[i + 2 * k + 1] = __builtin_shufflevector(a, b, 2, 3, 10, 11, 6, 7, 14, 15);
        }
    }
    for (int i = 0; i < 4; ++i) {
        const Vector a = fours[i];
        const Vector b = fours[i + 4];
        out[i] = __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11);
        out[i + 4] = __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15);
    }
}

__attribute__((target("avx2"))) void blocks_in_vectors(std::span<const Md5Lane> lanes,
                                                       std::size_t blocks) {
    // Lanes without a stream hash the first one's bytes, to no end.
    const std::byte* data[kMd5Lanes];
    Vector state[4] = {};
    for (std::size_t lane = 0; lane < kMd5Lanes; ++lane) {
        const Md5Lane& from = lanes[lane < lanes.size() ? lane : 0];
        data[lane] = from.data;
        for (std::size_t word = 0; word < 4; ++word) state[word][lane] = (*from.state)[word];
    }
    for (std::size_t at = 0; at < blocks * kMd5BlockBytes; at += kMd5BlockBytes) {
        Vector message[16];
        for (std::size_t half = 0; half < 2; ++half) {
            Vector rows[kMd5Lanes];
            for (std::size_t lane = 0; lane < kMd5Lanes; ++lane) {
                std::memcpy(&rows[lane], data[lane] + at + half * sizeof(Vector), sizeof(Vector));
            }
            transpose(rows, message + half * 8);
        }
        add_block(state, message);
    }
    for (std::size_t lane = 0; lane < lanes.size(); ++lane) {
        for (std::size_t word = 0; word < 4; ++word) (*lanes[lane].state)[word] = state[word][lane];
    }
}

#endif

}  // namespace

void md5_blocks(Md5Words& state, const std::byte* data, std::size_t blocks) {
    static_assert(std::endian::native == std::endian::little);
    for (; blocks > 0; --blocks, data += kMd5BlockBytes) {
        std::array<std::uint32_t, 16> message;
        std::memcpy(message.data(), data, kMd5BlockBytes);
        add_block(state.data(), message.data());
    }
}

void md5_blocks(std::span<const Md5Lane> lanes, std::size_t blocks) {
    ASSERT(lanes.size() <= kMd5Lanes);
#if defined(__x86_64__)
    // Eight lanes take as long as two streams one after the other.
    if (lanes.size() > 2 && md5_has_vectors()) return blocks_in_vectors(lanes, blocks);
#endif
    for (const Md5Lane& lane : lanes) md5_blocks(*lane.state, lane.data, blocks);
}

bool md5_has_vectors() {
#if defined(__x86_64__)
    static const bool has = __builtin_cpu_supports("avx2") != 0;
    return has;
#else
    return false;
#endif
}

}  // namespace s3api
