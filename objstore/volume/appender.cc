#include "objstore/volume/appender.h"

#include <algorithm>

namespace objstore {

namespace {

// Stripes of one write and sync hold so much of each column at most.
constexpr std::size_t kBatchColumnBytes = 2 * kColumnBytesMax;

}  // namespace

// Takes pieces into one stripe until it is full, and returns where the next one begins.
Appender::Cursor Appender::plan_stripe(std::span<const Piece> pieces,
                                       Cursor cursor,
                                       std::size_t payload_max,
                                       NewStripe& stripe,
                                       std::vector<std::size_t>& owners) {
    std::size_t payload = 0;
    for (; cursor.piece < pieces.size() && stripe.owners.size() < kOwnersMax; ++cursor.piece) {
        const Piece& piece = pieces[cursor.piece];
        const std::size_t left = piece.bytes.size() - cursor.offset;
        const std::size_t room = payload_max - payload;
        // A small piece is not cut: it would need two reads for ever.
        if (room == 0 || (left > room && left <= kExtentCrcBytesMax && payload > 0)) break;
        const std::size_t length = std::min(left, room);
        if (length > 0) {
            stripe.owners.push_back(
                {.inode = piece.owner.inode,
                 .generation = piece.owner.generation,
                 .offset = owner_offset(piece.owner, piece.owner.logical_offset + cursor.offset),
                 .payload_offset = static_cast<std::uint32_t>(payload),
                 .length = static_cast<std::uint32_t>(length)});
            owners.push_back(cursor.piece);
            payload += length;
        }
        cursor.offset += length;
        if (length < left) break;
        cursor.offset = 0;
    }
    stripe.layout.payload_bytes = static_cast<std::uint32_t>(payload);
    return cursor;
}

Appender::Batch Appender::plan(std::span<const Piece> pieces, Cursor cursor, Geometry geometry) {
    Batch batch;
    std::size_t columns = 0;
    std::size_t bytes = 0;
    while (columns < kBatchColumnBytes) {
        NewStripe stripe;
        std::vector<std::size_t> owners;
        cursor = plan_stripe(pieces, cursor, geometry.data * kColumnBytesMax, stripe, owners);
        if (stripe.owners.empty()) break;
        stripe.layout = stripe_layout(stripe.layout.payload_bytes, stripe.owners.size(), geometry);
        stripe.nonce = static_cast<std::uint32_t>(deps_.random.next());
        columns += stripe.layout.column_bytes;
        bytes += NewStripe::payload_space(stripe.layout, geometry) +
                 NewStripe::side_bytes(stripe.layout, geometry);
        batch.stripes.push_back(std::move(stripe));
        batch.pieces.push_back(std::move(owners));
    }
    batch.next = cursor;
    if (bytes > 0) batch.memory = deps_.buffers.take(bytes);
    std::byte* at = batch.memory.data();
    for (NewStripe& stripe : batch.stripes) {
        stripe.payload = at;
        at += NewStripe::payload_space(stripe.layout, geometry);
        stripe.use_side(at, geometry);
        at += NewStripe::side_bytes(stripe.layout, geometry);
    }
    return batch;
}

void Appender::fill(Batch& batch, std::span<const Piece> pieces, const Codec& codec) {
    for (std::size_t i = 0; i < batch.stripes.size(); ++i) {
        NewStripe& stripe = batch.stripes[i];
        for (std::size_t j = 0; j < stripe.owners.size(); ++j) {
            const OwnerEntry& owner = stripe.owners[j];
            const Piece& piece = pieces[batch.pieces[i][j]];
            const std::size_t from = logical_offset(owner) - piece.owner.logical_offset;
            std::ranges::copy(piece.bytes.subspan(from, owner.length),
                              stripe.payload + owner.payload_offset);
        }
        stripe.encode(codec);
    }
}

void Appender::note_extents(const Batch& batch,
                            std::uint64_t volume,
                            std::vector<std::vector<Extent>>& extents) {
    for (std::size_t i = 0; i < batch.stripes.size(); ++i) {
        const NewStripe& stripe = batch.stripes[i];
        for (std::size_t j = 0; j < stripe.owners.size(); ++j) {
            extents[batch.pieces[i][j]].push_back(stripe.extent(volume, stripe.owners[j]));
        }
    }
}

Result<std::vector<std::vector<Extent>>> Appender::append(std::span<const Piece> pieces) {
    std::vector<std::vector<Extent>> extents(pieces.size());
    Attempts attempts(deps_.disks);
    Cursor cursor;
    while (cursor.piece < pieces.size()) {
        TRY_ASSIGN(const auto volume, deps_.pool.small());
        Batch batch = plan(pieces, cursor, volume->geometry());
        if (batch.stripes.empty()) break;  // only empty pieces are left
        fill(batch, pieces, volume->volume().codec());
        Status status = volume->append(batch.stripes, OpenVolume::Sync::yes);
        if (status.ok()) {
            note_extents(batch, volume->id(), extents);
            cursor = batch.next;
        }
        deps_.buffers.give(std::move(batch.memory));
        if (!status.ok() && !attempts.again(status)) return status;
    }
    return extents;
}

}  // namespace objstore
