#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>

#include "objstore/base/clock.h"

namespace objstore {

// Numbers that order the stripes which a server writes: microseconds since 1970, and one more than
// the last where the clock stands or goes back. Threads: any.
class StripeOrder final {
public:
    explicit StripeOrder(const Clock& clock) : clock_(clock) {}

    std::uint64_t next() {
        const auto now = static_cast<std::uint64_t>(std::max<UnixNanos>(clock_.now(), 0) / 1000);
        std::uint64_t last = last_.load(std::memory_order_relaxed);
        std::uint64_t number = 0;
        do {
            number = std::max(now, last + 1);
        } while (!last_.compare_exchange_weak(last, number));
        return number;
    }

private:
    const Clock& clock_;
    std::atomic<std::uint64_t> last_{0};
};

}  // namespace objstore
