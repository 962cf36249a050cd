#include "s3api/ops/object_source.h"

#include <algorithm>

namespace s3api {

ObjectSource::ObjectSource(std::unique_ptr<objstore::ObjectReader> reader,
                           ByteRange range,
                           PieceBudget& budget)
    : reader_(std::move(reader)), budget_(budget), left_(range) {}

ObjectSource::~ObjectSource() {
    budget_.give(budget_bytes_);
}

objstore::MutableBytes ObjectSource::prepare() {
    objstore::Buffer& buffer = buffers_[turn_];
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_.length, kPieceBytes));
    if (buffer.size() < size) {
        const bool large = size > kLeanBytes && budget_.take(size);
        if (large) budget_bytes_ += size;
        const std::size_t given = large ? size : std::min(size, kLeanBytes);
        if (buffer.size() < given) buffer = objstore::Buffer(given);
    }
    return buffer.span().first(std::min(size, buffer.size()));
}

BodySource::Pieces ObjectSource::take(std::size_t size_bytes) {
    pieces_[turn_] = objstore::Bytes(buffers_[turn_].data(), size_bytes);
    const Pieces pieces(&pieces_[turn_], 1);
    left_.first += size_bytes;
    left_.length -= size_bytes;
    turn_ = 1 - turn_;
    return pieces;
}

objstore::Result<BodySource::Pieces> ObjectSource::next() {
    if (left_.length == 0) return Pieces();
    const objstore::MutableBytes into = prepare();
    TRY(reader_->read(left_.first, into));
    return take(into.size());
}

std::optional<objstore::Result<BodySource::Pieces>> ObjectSource::try_next() {
    if (left_.length == 0) return objstore::Result<Pieces>(Pieces());
    const objstore::MutableBytes into = prepare();
    if (!reader_->try_read(left_.first, into)) return std::nullopt;
    return objstore::Result<Pieces>(take(into.size()));
}

}  // namespace s3api
