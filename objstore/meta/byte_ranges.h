#pragma once

#include <cstdint>
#include <vector>

namespace objstore {

// From the first byte up to, not including, `to`.
struct ByteRange {
    std::uint64_t from = 0;
    std::uint64_t to = 0;
};

// The same bytes, sorted and disjoint.
std::vector<ByteRange> merged(std::vector<ByteRange> ranges);

// How many bytes of `ranges` lie in none of `covers`; both merged.
std::uint64_t uncovered_bytes(const std::vector<ByteRange>& ranges,
                              const std::vector<ByteRange>& covers);

}  // namespace objstore
