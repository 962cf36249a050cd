#pragma once

#include <atomic>

#include "objstore/base/bytes.h"

namespace s3api {

// How much memory all answers that are being sent may hold in large pieces, be their clients ever
// so slow. Beyond that they go on with small ones. Threads: any.
class PieceBudget final {
public:
    explicit PieceBudget(std::size_t bytes_max = 128 * objstore::kMiB) : bytes_max_(bytes_max) {}

    bool take(std::size_t bytes) {
        if (used_.fetch_add(bytes) + bytes <= bytes_max_) return true;
        used_.fetch_sub(bytes);
        return false;
    }
    void give(std::size_t bytes) { used_.fetch_sub(bytes); }

private:
    const std::size_t bytes_max_;
    std::atomic<std::size_t> used_{0};
};

}  // namespace s3api
