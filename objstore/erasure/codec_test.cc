#include "objstore/erasure/codec.h"

#include <bit>
#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace objstore {

namespace {

using Shard = std::vector<std::byte>;

// All shards of a stripe whose data is a fixed pattern.
std::vector<Shard> encoded(const Codec& codec, std::size_t size_bytes) {
    const Geometry geometry = codec.geometry();
    std::vector<Shard> shards(static_cast<std::size_t>(geometry.shards()), Shard(size_bytes));
    std::uint32_t state = 99;
    std::vector<Bytes> data;
    std::vector<MutableBytes> parity;
    for (std::size_t i = 0; i < shards.size(); ++i) {
        if (i >= geometry.data) {
            parity.emplace_back(shards[i]);
            continue;
        }
        for (std::byte& byte : shards[i]) {
            state = state * 1664525 + 1013904223;
            byte = static_cast<std::byte>(state >> 24);
        }
        data.emplace_back(shards[i]);
    }
    codec.encode(data, parity);
    return shards;
}

// GF(2^8) modulo x^8+x^4+x^3+x^2+1, from the definition: a check on ISA-L's tables.
unsigned multiply(unsigned a, unsigned b) {
    unsigned product = 0;
    for (; b != 0; b >>= 1) {
        if ((b & 1) != 0) product ^= a;
        a <<= 1;
        if ((a & 0x100) != 0) a ^= 0x11d;
    }
    return product;
}

unsigned inverse(unsigned a) {
    for (unsigned b = 1; b < 256; ++b) {
        if (multiply(a, b) == 1) return b;
    }
    return 0;
}

// Rebuilds the shards outside `kept` from those in it and compares.
void check_pattern(const Codec& codec, const std::vector<Shard>& shards, unsigned kept) {
    std::vector<Bytes> have;
    std::vector<int> have_index;
    std::vector<int> wanted;
    for (int i = 0; i < codec.geometry().shards(); ++i) {
        const bool use = ((kept >> i) & 1) != 0;
        if (use) have.emplace_back(shards[static_cast<std::size_t>(i)]);
        (use ? have_index : wanted).push_back(i);
    }
    std::vector<Shard> rebuilt(wanted.size(), Shard(shards.front().size()));
    const std::vector<MutableBytes> out(rebuilt.begin(), rebuilt.end());
    codec.reconstruct(have, have_index, wanted, out);
    for (std::size_t w = 0; w < wanted.size(); ++w) {
        REQUIRE(rebuilt[w] == shards[static_cast<std::size_t>(wanted[w])]);
    }
}

}  // namespace

TEST_CASE("any data shards give all other shards back, for every default geometry") {
    for (int disks = 1; disks <= kShardsMax; ++disks) {
        const Codec codec(default_geometry(disks));
        const auto shards = encoded(codec, 100);
        for (unsigned kept = 0; kept < (1U << disks); ++kept) {
            if (std::popcount(kept) != codec.geometry().data) continue;
            CAPTURE(disks);
            CAPTURE(kept);
            check_pattern(codec, shards, kept);
        }
    }
}

TEST_CASE("shards can be handed to reconstruct in any order") {
    const Codec codec(Geometry{4, 2});
    const auto shards = encoded(codec, 4096);
    const std::vector<Bytes> have = {shards[5], shards[0], shards[3], shards[2]};
    const std::vector<int> have_index = {5, 0, 3, 2};
    const std::vector<int> wanted = {4, 1};
    Shard four(4096);
    Shard one(4096);
    const std::vector<MutableBytes> out = {four, one};
    codec.reconstruct(have, have_index, wanted, out);
    CHECK(four == shards[4]);
    CHECK(one == shards[1]);
}

TEST_CASE("parity follows the Cauchy matrix by definition, at lengths around vector sizes") {
    const Codec codec(Geometry{5, 4});
    for (const std::size_t length : {1U, 15U, 16U, 31U, 32U, 33U, 63U, 64U, 65U, 1000U, 4096U}) {
        CAPTURE(length);
        const auto shards = encoded(codec, length);
        for (unsigned row = 5; row < 9; ++row) {
            for (std::size_t at = 0; at < length; ++at) {
                unsigned sum = 0;
                for (unsigned column = 0; column < 5; ++column) {
                    const auto byte = std::to_integer<unsigned>(shards[column][at]);
                    sum ^= multiply(inverse(row ^ column), byte);
                }
                REQUIRE(std::to_integer<unsigned>(shards[row][at]) == sum);
            }
        }
    }
}

TEST_CASE("the encoding is fixed to the byte: it is a disk format") {
    const Codec codec(Geometry{4, 2});
    const std::vector<Bytes> data = {
        as_bytes("Ashlar01"), as_bytes("masonry2"), as_bytes("of hewn3"), as_bytes("stones4!")};
    Shard first(8);
    Shard second(8);
    const std::vector<MutableBytes> parity = {first, second};
    codec.encode(data, parity);
    CHECK(to_hex(first) == "b34a9b6998d33601");
    CHECK(to_hex(second) == "e3302dee51f4223d");
}

TEST_CASE("one data shard and one of parity are a mirror") {
    const Codec codec(Geometry{1, 1});
    const auto shards = encoded(codec, 64);
    CHECK(shards[0] == shards[1]);
}

TEST_CASE("a geometry without parity has nothing to encode") {
    const Codec codec(Geometry{1, 0});
    const auto shards = encoded(codec, 64);
    REQUIRE(shards.size() == 1);
    check_pattern(codec, shards, 1);
}

}  // namespace objstore
