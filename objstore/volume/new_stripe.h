#pragma once

#include <vector>

#include "objstore/erasure/codec.h"
#include "objstore/volume/format.h"

namespace objstore {

// A stripe on its way to the shard files. The memory it points to is its maker's: payload (all data
// columns, one after another), parity columns, and the headers of all shards.
struct NewStripe {
    StripeLayout layout;
    std::uint32_t nonce = 0;
    std::uint64_t place = 0;     // known once the volume has found room
    std::uint64_t sequence = 0;  // likewise
    std::byte* payload = nullptr;
    std::byte* parity = nullptr;
    std::byte* headers = nullptr;
    std::vector<OwnerEntry> owners;

    // What it takes beside the payload, and with it.
    static std::size_t side_bytes(const StripeLayout& layout, Geometry geometry);
    static std::size_t payload_space(const StripeLayout& layout, Geometry geometry);

    // Points parity and headers to `side` (side_bytes).
    void use_side(std::byte* side, Geometry geometry);
    // Zeroes what follows the payload in the columns and computes the parity.
    void encode(const Codec& codec);
    MutableBytes column(int shard, Geometry geometry) const;
    MutableBytes header(int shard) const;
    // Fills the header of one shard. `place` must be set, and the columns be final.
    void build_header(VolumeId volume, Geometry geometry, int shard) const;

    FooterEntry entry() const;
    // The extent of the owner's bytes [payload_offset, payload_offset + length), with their
    // checksum when they are few.
    Extent extent(VolumeId volume, const OwnerEntry& owner) const;
};

}  // namespace objstore
