#include "objstore/erasure/checksum.h"

#include <algorithm>
#include <array>

#include <immintrin.h>
#include <isa-l/crc.h>

namespace objstore {

namespace {

constexpr std::uint64_t kCrc64Polynomial = 0x9a6c9329ac4bc9b5;  // reflected: bit 63 is x^0

using Crc64Tables = std::array<std::array<std::uint64_t, 256>, 8>;

// Table k holds the CRC of one byte followed by k zero bytes, so eight bytes are taken at once.
constexpr Crc64Tables make_crc64_tables() {
    Crc64Tables tables{};
    for (std::size_t byte = 0; byte < 256; ++byte) {
        std::uint64_t crc = byte;
        for (int bit = 0; bit < 8; ++bit) {
            crc = (crc >> 1) ^ ((crc & 1) != 0 ? kCrc64Polynomial : 0);
        }
        tables[0][byte] = crc;
    }
    for (std::size_t k = 1; k < tables.size(); ++k) {
        for (std::size_t byte = 0; byte < 256; ++byte) {
            const std::uint64_t before = tables[k - 1][byte];
            tables[k][byte] = (before >> 8) ^ tables[0][before & 255];
        }
    }
    return tables;
}

constexpr Crc64Tables kCrc64Tables = make_crc64_tables();

// x^power modulo the polynomial, reflected.
constexpr std::uint64_t crc64_power_of_x(int power) {
    std::uint64_t value = std::uint64_t{1} << 63;
    for (int i = 0; i < power; ++i) {
        value = (value >> 1) ^ ((value & 1) != 0 ? kCrc64Polynomial : 0);
    }
    return value;
}

// Takes the raw register (no inversion) over `bytes`.
std::uint64_t crc64_by_tables(std::uint64_t crc, Bytes bytes) {
    while (bytes.size() >= 8) {
        crc ^= load<std::uint64_t>(bytes);
        std::uint64_t next = 0;
        for (std::size_t k = 0; k < 8; ++k) next ^= kCrc64Tables[7 - k][(crc >> (8 * k)) & 255];
        crc = next;
        bytes = bytes.subspan(8);
    }
    for (const std::byte byte : bytes) {
        crc = (crc >> 8) ^ kCrc64Tables[0][(crc ^ std::to_integer<std::uint64_t>(byte)) & 255];
    }
    return crc;
}

constexpr std::size_t kFoldBytes = 64;

// Moves the 128 bits of `lane` forward in the message and adds what lies there. `power` holds
// x^(distance + 63) and x^(distance - 1): a carry-less product of reflected numbers comes out
// multiplied by x, hence one less.
__attribute__((target("pclmul,sse4.1"))) inline __m128i crc64_fold(__m128i lane,
                                                                   __m128i power,
                                                                   __m128i next) {
    const __m128i low = _mm_clmulepi64_si128(lane, power, 0x00);
    const __m128i high = _mm_clmulepi64_si128(lane, power, 0x11);
    return _mm_xor_si128(_mm_xor_si128(low, high), next);
}

__attribute__((target("pclmul,sse4.1"))) inline __m128i crc64_load(const std::byte* from) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
}

__attribute__((target("pclmul,sse4.1"))) inline __m128i crc64_power(std::uint64_t low,
                                                                    std::uint64_t high) {
    return _mm_set_epi64x(static_cast<long long>(high), static_cast<long long>(low));
}

// As crc64_by_tables; `bytes` is at least kFoldBytes long. Four lanes of 16 bytes are folded over
// the message; the last 16 bytes, which stand for all of it, and the rest go through the tables.
__attribute__((target("pclmul,sse4.1"))) std::uint64_t crc64_by_folding(std::uint64_t crc,
                                                                        Bytes bytes) {
    constexpr std::uint64_t kBy512Low = crc64_power_of_x(512 + 63);
    constexpr std::uint64_t kBy512High = crc64_power_of_x(512 - 1);
    constexpr std::uint64_t kBy128Low = crc64_power_of_x(128 + 63);
    constexpr std::uint64_t kBy128High = crc64_power_of_x(128 - 1);

    __m128i lanes[4];  // Not std::array: it drops the type's alignment attribute.
    for (std::size_t i = 0; i < 4; ++i) lanes[i] = crc64_load(bytes.data() + 16 * i);
    lanes[0] = _mm_xor_si128(lanes[0], crc64_power(crc, 0));
    bytes = bytes.subspan(kFoldBytes);

    const __m128i by_512 = crc64_power(kBy512Low, kBy512High);
    for (; bytes.size() >= kFoldBytes; bytes = bytes.subspan(kFoldBytes)) {
        for (std::size_t i = 0; i < 4; ++i) {
            lanes[i] = crc64_fold(lanes[i], by_512, crc64_load(bytes.data() + 16 * i));
        }
    }
    const __m128i by_128 = crc64_power(kBy128Low, kBy128High);
    __m128i lane = lanes[0];
    for (std::size_t i = 1; i < 4; ++i) lane = crc64_fold(lane, by_128, lanes[i]);

    std::array<std::byte, 16> last;
    _mm_storeu_si128(reinterpret_cast<__m128i*>(last.data()), lane);
    return crc64_by_tables(crc64_by_tables(0, last), bytes);
}

}  // namespace

std::uint32_t crc32c(Bytes bytes, std::uint32_t seed) {
    // ISA-L takes its length as an int, and leaves both inversions to the caller.
    constexpr std::size_t kCallBytesMax = 1024 * kMiB;
    std::uint32_t crc = ~seed;
    while (!bytes.empty()) {
        const std::size_t length = std::min(bytes.size(), kCallBytesMax);
        // It only reads, though its pointer is to mutable bytes.
        auto* from =
            const_cast<unsigned char*>(reinterpret_cast<const unsigned char*>(bytes.data()));
        crc = crc32_iscsi(from, static_cast<int>(length), crc);
        bytes = bytes.subspan(length);
    }
    return ~crc;
}

std::uint32_t crc32(Bytes bytes, std::uint32_t seed) {
    if (bytes.empty()) return seed;
    return crc32_gzip_refl(
        seed, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
}

std::uint64_t crc64nvme(Bytes bytes, std::uint64_t seed) {
    static const bool can_fold =
        __builtin_cpu_supports("pclmul") != 0 && __builtin_cpu_supports("sse4.1") != 0;
    const bool fold = can_fold && bytes.size() >= kFoldBytes;
    return ~(fold ? crc64_by_folding(~seed, bytes) : crc64_by_tables(~seed, bytes));
}

}  // namespace objstore
