#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "objstore/base/guarded.h"

namespace objstore {

// Which commits survive power loss. Threads: any.
class DurableCommits final {
public:
    // The last that does; all before it do, but for those that were lost.
    std::uint64_t last() const {
        return state_.with([](const State& state) { return state.last; });
    }
    bool contains(std::uint64_t sequence) const {
        return state_.with([&](const State& state) {
            const auto within = [&](const auto& range) {
                return range.first <= sequence && sequence <= range.second;
            };
            return sequence <= state.last &&
                   std::none_of(state.lost.begin(), state.lost.end(), within);
        });
    }
    // The writer's: commits up to `sequence` are durable.
    void reach(std::uint64_t sequence) {
        state_.with([&](State& state) { state.last = std::max(state.last, sequence); });
    }
    // The writer's: a failed sync lost these, `first` to `last`, after others had seen them.
    void lose(std::uint64_t first, std::uint64_t last) {
        if (first > last) return;
        state_.with([&](State& state) { state.lost.emplace_back(first, last); });
    }

private:
    struct State {
        std::uint64_t last = 0;
        std::vector<std::pair<std::uint64_t, std::uint64_t>> lost;  // one a failed disk
    };
    Guarded<State> state_;
};

}  // namespace objstore
