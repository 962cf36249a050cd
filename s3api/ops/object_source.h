#pragma once

#include <array>
#include <memory>

#include "objstore/engine/engine.h"
#include "s3api/http/response.h"
#include "s3api/ops/byte_range.h"

namespace s3api {

// A range of an object as a response body, read ahead of the socket by one piece.
class ObjectSource final : public BodySource {
public:
    ObjectSource(std::unique_ptr<objstore::ObjectReader> reader, ByteRange range);

    objstore::Result<Pieces> next() override;
    std::optional<objstore::Result<Pieces>> try_next() override;

private:
    static constexpr std::size_t kPieceBytes = objstore::kMiB;

    objstore::MutableBytes prepare();
    Pieces take(std::size_t size_bytes);

    std::unique_ptr<objstore::ObjectReader> reader_;
    ByteRange left_;
    // Two: one is written to the socket while the other is filled.
    std::array<objstore::Buffer, 2> buffers_;
    std::array<objstore::Bytes, 2> pieces_;
    std::size_t turn_ = 0;
};

}  // namespace s3api
