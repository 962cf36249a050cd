#pragma once

#include <numeric>
#include <vector>

#include "objstore/base/executor.h"
#include "tests/sim/sim_random.h"

namespace tests {

// Runs everything in the calling thread, in an order that follows from a seed.
class SimExecutor final : public objstore::Executor {
public:
    explicit SimExecutor(std::uint64_t seed) : random_(seed) {}

    void for_each(std::size_t count, const std::function<void(std::size_t)>& fn) override {
        std::vector<std::size_t> order(count);
        std::iota(order.begin(), order.end(), std::size_t{0});
        for (std::size_t i = count; i > 1; --i) {
            std::swap(order[i - 1], order[random_.below(i)]);
        }
        for (const std::size_t index : order) fn(index);
    }

private:
    SimRandom random_;
};

}  // namespace tests
