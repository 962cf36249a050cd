#include "objstore/erasure/codec.h"

#include <algorithm>
#include <climits>

#include <isa-l/erasure_code.h>

namespace objstore {

namespace {

constexpr std::size_t kShards = kShardsMax;
// ISA-L expands each coefficient of a matrix into a table of so many bytes.
constexpr std::size_t kTableBytes = 32;

using Matrix = std::array<unsigned char, kShards * kShards>;
using Pointers = std::array<unsigned char*, kShards>;
using ExpandedTables = std::array<unsigned char, kTableBytes * kShards * kShards>;

// ISA-L takes pointers to mutable bytes for its sources, which it only reads.
unsigned char* source_pointer(Bytes bytes) {
    return const_cast<unsigned char*>(reinterpret_cast<const unsigned char*>(bytes.data()));
}

unsigned char* target_pointer(MutableBytes bytes) {
    return reinterpret_cast<unsigned char*>(bytes.data());
}

int shard_length(Bytes first) {
    ASSERT(first.size() <= static_cast<std::size_t>(INT_MAX));
    return static_cast<int>(first.size());
}

Pointers source_pointers(std::span<const Bytes> shards) {
    Pointers pointers{};
    for (std::size_t i = 0; i < shards.size(); ++i) {
        ASSERT(shards[i].size() == shards.front().size());
        pointers.at(i) = source_pointer(shards[i]);
    }
    return pointers;
}

Pointers target_pointers(std::span<const MutableBytes> shards, std::size_t size_bytes) {
    Pointers pointers{};
    for (std::size_t i = 0; i < shards.size(); ++i) {
        ASSERT(shards[i].size() == size_bytes);
        pointers.at(i) = target_pointer(shards[i]);
    }
    return pointers;
}

// The inverse of the rows of `matrix` that made the shards at hand: it gives the data shards back.
Matrix inverse_of_rows(const Matrix& matrix, std::span<const int> rows) {
    const std::size_t columns = rows.size();
    Matrix chosen{};
    for (std::size_t i = 0; i < columns; ++i) {
        const auto* row = matrix.data() + static_cast<std::size_t>(rows[i]) * columns;
        std::copy_n(row, columns, chosen.data() + i * columns);
    }
    Matrix inverse{};
    // Every square part of identity over Cauchy is invertible, so only a repeated row fails.
    ASSERT(gf_invert_matrix(chosen.data(), inverse.data(), static_cast<int>(columns)) == 0);
    return inverse;
}

}  // namespace

struct Codec::Tables {
    Matrix matrix{};                 // shards x data, row by row
    ExpandedTables parity_tables{};  // of the rows of parity
};

Codec::Codec(Geometry geometry) : geometry_(geometry), tables_(std::make_unique<Tables>()) {
    ASSERT(geometry.valid());
    gf_gen_cauchy1_matrix(tables_->matrix.data(), geometry.shards(), geometry.data);
    if (geometry.parity == 0) return;
    const std::size_t identity_bytes = std::size_t{geometry.data} * geometry.data;
    ec_init_tables(geometry.data,
                   geometry.parity,
                   tables_->matrix.data() + identity_bytes,
                   tables_->parity_tables.data());
}

Codec::~Codec() = default;

void Codec::encode(std::span<const Bytes> data, std::span<const MutableBytes> parity) const {
    ASSERT(data.size() == geometry_.data);
    ASSERT(parity.size() == geometry_.parity);
    const int length = shard_length(data.front());
    if (parity.empty() || length == 0) return;
    Pointers sources = source_pointers(data);
    Pointers targets = target_pointers(parity, data.front().size());
    ec_encode_data(length,
                   geometry_.data,
                   geometry_.parity,
                   tables_->parity_tables.data(),
                   sources.data(),
                   targets.data());
}

void Codec::reconstruct(std::span<const Bytes> have,
                        std::span<const int> have_index,
                        std::span<const int> wanted,
                        std::span<const MutableBytes> out) const {
    const std::size_t columns = geometry_.data;
    ASSERT(have.size() == columns);
    ASSERT(have_index.size() == columns);
    ASSERT(wanted.size() == out.size());
    ASSERT(wanted.size() <= kShards);
    for (const int index : have_index) ASSERT(index >= 0 && index < geometry_.shards());
    const int length = shard_length(have.front());
    if (wanted.empty() || length == 0) return;

    const Matrix inverse = inverse_of_rows(tables_->matrix, have_index);
    Matrix rows{};  // of each wanted shard, in terms of the shards at hand
    for (std::size_t w = 0; w < wanted.size(); ++w) {
        ASSERT(wanted[w] >= 0 && wanted[w] < geometry_.shards());
        const auto* shard_row =
            tables_->matrix.data() + static_cast<std::size_t>(wanted[w]) * columns;
        for (std::size_t column = 0; column < columns; ++column) {
            unsigned char sum = 0;
            for (std::size_t k = 0; k < columns; ++k) {
                const unsigned char term = gf_mul(shard_row[k], inverse.at(k * columns + column));
                sum = static_cast<unsigned char>(sum ^ term);
            }
            rows.at(w * columns + column) = sum;
        }
    }
    const int row_count = static_cast<int>(wanted.size());
    ExpandedTables tables;
    ec_init_tables(geometry_.data, row_count, rows.data(), tables.data());
    Pointers sources = source_pointers(have);
    Pointers targets = target_pointers(out, have.front().size());
    ec_encode_data(
        length, geometry_.data, row_count, tables.data(), sources.data(), targets.data());
}

}  // namespace objstore
