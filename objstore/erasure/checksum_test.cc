#include "objstore/erasure/checksum.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace objstore {

namespace {

std::vector<std::byte> pattern(std::size_t size_bytes) {
    std::vector<std::byte> bytes(size_bytes);
    std::uint32_t state = 12345;
    for (std::byte& byte : bytes) {
        state = state * 1664525 + 1013904223;
        byte = static_cast<std::byte>(state >> 24);
    }
    return bytes;
}

// One bit at a time, straight from the definition.
std::uint64_t crc_by_bits(Bytes bytes, std::uint64_t polynomial, std::uint64_t ones) {
    std::uint64_t crc = ones;
    for (const std::byte byte : bytes) {
        crc ^= std::to_integer<std::uint64_t>(byte);
        for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? polynomial : 0);
    }
    return crc ^ ones;
}

}  // namespace

TEST_CASE("checksums have their published check values") {
    const Bytes check = as_bytes("123456789");
    CHECK(crc32c(check) == 0xe3069283);
    CHECK(crc32(check) == 0xcbf43926);
    CHECK(crc64nvme(check) == 0xae8b14860a799888);
}

TEST_CASE("the checksum of nothing is its seed") {
    CHECK(crc32c({}) == 0);
    CHECK(crc32({}) == 0);
    CHECK(crc64nvme({}) == 0);
    CHECK(crc32c({}, 7) == 7);
    CHECK(crc32({}, 7) == 7);
    CHECK(crc64nvme({}, 7) == 7);
}

TEST_CASE("checksums of every length and alignment agree with the definition") {
    const auto bytes = pattern(700);
    for (std::size_t from = 0; from < 17; ++from) {
        for (std::size_t length = 0; length + from <= bytes.size(); length += 1 + length / 32) {
            CAPTURE(from);
            CAPTURE(length);
            const Bytes part = Bytes(bytes).subspan(from, length);
            REQUIRE(crc32c(part) == crc_by_bits(part, 0x82f63b78, 0xffffffff));
            REQUIRE(crc32(part) == crc_by_bits(part, 0xedb88320, 0xffffffff));
            REQUIRE(crc64nvme(part) == crc_by_bits(part, 0x9a6c9329ac4bc9b5, ~std::uint64_t{0}));
        }
    }
}

TEST_CASE("a checksum goes on from the checksum of what came before") {
    const auto bytes = pattern(5000);
    const Bytes all(bytes);
    for (const std::size_t cut : {1U, 63U, 64U, 65U, 1000U, 4096U, 4999U}) {
        CAPTURE(cut);
        CHECK(crc32c(all.subspan(cut), crc32c(all.first(cut))) == crc32c(all));
        CHECK(crc32(all.subspan(cut), crc32(all.first(cut))) == crc32(all));
        CHECK(crc64nvme(all.subspan(cut), crc64nvme(all.first(cut))) == crc64nvme(all));
    }
}

}  // namespace objstore
