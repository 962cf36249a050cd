#pragma once

#include <atomic>

#include "objstore/base/clock.h"

namespace tests {

// Time that moves only when told. Threads: any.
class SimClock final : public objstore::Clock {
public:
    explicit SimClock(objstore::UnixNanos now = 1'700'000'000'000'000'000) : now_(now) {}

    objstore::UnixNanos now() const override { return now_; }
    std::chrono::nanoseconds steady() const override {
        return std::chrono::nanoseconds(steady_.load());
    }

    // Moves both clocks forward.
    void advance(std::chrono::nanoseconds by) {
        now_ += by.count();
        steady_ += by.count();
    }
    // Sets the wall clock alone, as an administrator or NTP does; it may go back.
    void set_now(objstore::UnixNanos now) { now_ = now; }

private:
    std::atomic<objstore::UnixNanos> now_;
    std::atomic<std::int64_t> steady_{1'000'000'000};
};

}  // namespace tests
