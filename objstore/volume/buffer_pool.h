#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <vector>

#include "objstore/base/bytes.h"
#include "objstore/base/guarded.h"
#include "objstore/base/status.h"

namespace objstore {

// Buffers that are used again, since fresh memory of some MiB costs a page fault for each 4 KiB.
// Keeps at most `idle_bytes_max` that nobody uses. Threads: any.
class BufferPool final {
public:
    explicit BufferPool(std::size_t idle_bytes_max) : idle_bytes_max_(idle_bytes_max) {}

    // At least `size_bytes`, not initialised.
    Buffer take(std::size_t size_bytes);
    void give(Buffer buffer);

private:
    struct Idle {
        std::vector<Buffer> buffers;
        std::size_t bytes = 0;
    };
    const std::size_t idle_bytes_max_;
    Guarded<Idle> idle_;
};

// How much memory all streams together may hold. Threads: any.
class BufferBudget final {
public:
    explicit BufferBudget(std::size_t bytes_max) : bytes_max_(bytes_max) {}

    // Takes `bytes` if a quarter of all stays free: that is for those who can do with little.
    bool try_take(std::size_t bytes);
    // Waits until there are `bytes`, a bounded time. unavailable: there still are not.
    Status take(std::size_t bytes);
    void give(std::size_t bytes);

private:
    const std::size_t bytes_max_;
    std::mutex mutex_;
    std::condition_variable given_;
    std::size_t used_ = 0;  // under mutex_
};

}  // namespace objstore
