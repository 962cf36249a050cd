#pragma once

#include <array>
#include <memory>
#include <span>

#include "objstore/base/bytes.h"
#include "objstore/base/status.h"
#include "objstore/erasure/geometry.h"

namespace objstore {

// Reed-Solomon over GF(2^8) with a Cauchy matrix, by ISA-L. The matrix is part of the disk format:
// row 0..data-1 identity, then gf_gen_cauchy1_matrix of (shards, data). Threads: any.
class Codec final {
public:
    explicit Codec(Geometry geometry);
    ~Codec();

    Geometry geometry() const { return geometry_; }
    // Computes all parity shards. All spans have one size; data.size() == geometry.data.
    void encode(std::span<const Bytes> data, std::span<const MutableBytes> parity) const;
    // Computes the shards `wanted` (indexes, 0..shards-1) from `have`, which are exactly
    // geometry.data spans whose indexes are `have_index`. Cost: one matrix inversion, uncached.
    void reconstruct(std::span<const Bytes> have,
                     std::span<const int> have_index,
                     std::span<const int> wanted,
                     std::span<const MutableBytes> out) const;

private:
    struct Tables;
    const Geometry geometry_;
    std::unique_ptr<Tables> tables_;
};

}  // namespace objstore
