#pragma once

#include <atomic>

#include "objstore/base/assert.h"
#include "objstore/base/clock.h"

namespace tests {

// Numbers that follow from a seed (splitmix64). Threads: any, though then their order is open.
class SimRandom final : public objstore::Random {
public:
    explicit SimRandom(std::uint64_t seed) : state_(seed) {}

    std::uint64_t next() override {
        std::uint64_t z = state_.fetch_add(kStep) + kStep;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }
    // 0 … count - 1.
    std::uint64_t below(std::uint64_t count) {
        ASSERT(count > 0);
        return next() % count;
    }
    // True so often of a hundred.
    bool percent(unsigned often) { return below(100) < often; }

private:
    static constexpr std::uint64_t kStep = 0x9e3779b97f4a7c15;
    std::atomic<std::uint64_t> state_;
};

// The seed of a random test: ASHLAR_TEST_SEED when set, else `otherwise`. Print it on failure
// (CAPTURE).
std::uint64_t test_seed(std::uint64_t otherwise = 1);

}  // namespace tests
