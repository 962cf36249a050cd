#include "objstore/volume/new_stripe.h"

#include <array>
#include <cstring>

#include "objstore/erasure/checksum.h"

namespace objstore {

std::size_t NewStripe::side_bytes(const StripeLayout& layout, Geometry geometry) {
    return static_cast<std::size_t>(geometry.parity) * layout.column_bytes +
           static_cast<std::size_t>(geometry.shards()) * layout.header_bytes;
}

std::size_t NewStripe::payload_space(const StripeLayout& layout, Geometry geometry) {
    return static_cast<std::size_t>(geometry.data) * layout.column_bytes;
}

void NewStripe::use_side(std::byte* side, Geometry geometry) {
    parity = side;
    headers = side + static_cast<std::size_t>(geometry.parity) * layout.column_bytes;
}

MutableBytes NewStripe::column(int shard, Geometry geometry) const {
    std::byte* const columns = shard < geometry.data ? payload : parity;
    const int index = shard < geometry.data ? shard : shard - geometry.data;
    return {columns + static_cast<std::size_t>(index) * layout.column_bytes, layout.column_bytes};
}

MutableBytes NewStripe::header(int shard) const {
    return {headers + static_cast<std::size_t>(shard) * layout.header_bytes, layout.header_bytes};
}

void NewStripe::encode(const Codec& codec) {
    const Geometry geometry = codec.geometry();
    std::memset(
        payload + layout.payload_bytes, 0, payload_space(layout, geometry) - layout.payload_bytes);
    if (geometry.parity == 0) return;
    std::array<Bytes, kShardsMax> from;
    std::array<MutableBytes, kShardsMax> to;
    for (int i = 0; i < geometry.data; ++i) {
        from.at(static_cast<std::size_t>(i)) = column(i, geometry);
    }
    for (int i = 0; i < geometry.parity; ++i) {
        to.at(static_cast<std::size_t>(i)) = column(geometry.data + i, geometry);
    }
    codec.encode(std::span(from).first(geometry.data), std::span(to).first(geometry.parity));
}

void NewStripe::build_header(VolumeId volume, Geometry geometry, int shard) const {
    const StripeFields fields{.volume = volume,
                              .geometry = geometry,
                              .place = place,
                              .sequence = sequence,
                              .nonce = nonce,
                              .layout = layout,
                              .owners = owners};
    build_stripe_header(fields, shard, column(shard, geometry), header(shard));
}

FooterEntry NewStripe::entry() const {
    return {.place = place,
            .header_bytes = layout.header_bytes,
            .column_bytes = layout.column_bytes,
            .payload_bytes = layout.payload_bytes,
            .nonce = nonce};
}

Extent NewStripe::extent(VolumeId volume, const OwnerEntry& owner) const {
    Extent e;
    e.logical_offset = logical_offset(owner);
    e.length = owner.length;
    e.kind = ExtentKind::stripe;
    e.volume = volume;
    e.place = place;
    e.header_bytes = layout.header_bytes;
    e.column_bytes = layout.column_bytes;
    e.payload_offset = owner.payload_offset;
    e.nonce = nonce;
    if (e.length <= kExtentCrcBytesMax) {
        e.has_crc = true;
        e.crc = crc32c({payload + owner.payload_offset, owner.length});
    }
    return e;
}

}  // namespace objstore
