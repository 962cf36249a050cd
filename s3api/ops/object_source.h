#pragma once

#include <array>
#include <memory>

#include "objstore/engine/engine.h"
#include "s3api/http/response.h"
#include "s3api/ops/byte_range.h"
#include "s3api/ops/piece_budget.h"

namespace s3api {

// A range of an object as a response body, read ahead of the socket by one piece. Its
// pieces are small once the budget, which must outlive it, is spent.
class ObjectSource final : public BodySource {
public:
    ObjectSource(std::unique_ptr<objstore::ObjectReader> reader,
                 ByteRange range,
                 PieceBudget& budget);
    ~ObjectSource() override;

    objstore::Result<Pieces> next() override;
    std::optional<objstore::Result<Pieces>> try_next() override;

private:
    static constexpr std::size_t kPieceBytes = objstore::kMiB;
    static constexpr std::size_t kLeanBytes = 64 * objstore::kKiB;

    objstore::MutableBytes prepare();
    Pieces take(std::size_t size_bytes);

    std::unique_ptr<objstore::ObjectReader> reader_;
    PieceBudget& budget_;
    std::size_t budget_bytes_ = 0;  // taken of it
    ByteRange left_;
    // Two: one is written to the socket while the other is filled.
    std::array<objstore::Buffer, 2> buffers_;
    std::array<objstore::Bytes, 2> pieces_;
    std::size_t turn_ = 0;
};

}  // namespace s3api
