#pragma once

#include <cstddef>
#include <map>

#include "nfs/rpc/reply_cache.h"
#include "objstore/base/guarded.h"

namespace nfs {

// What the large calls and replies of all connections may hold, and how much of it those from one
// address, so that one client can not take what others need. Threads: any.
class MemoryBudget final {
public:
    struct Options {
        std::size_t bytes_max = 192 * objstore::kMiB;
        std::size_t peer_bytes_max = 144 * objstore::kMiB;
    };
    explicit MemoryBudget(Options options) : options_(options) {
        ASSERT(options.peer_bytes_max <= options.bytes_max);
    }
    ~MemoryBudget() { ASSERT(taken() == 0); }

    // False: there is not so much left, now.
    bool try_take(const PeerAddress& peer, std::size_t bytes);
    void give_back(const PeerAddress& peer, std::size_t bytes);
    // Little is left: who makes no progress is to make room.
    bool is_scarce() const { return taken() > options_.bytes_max / 2; }
    std::size_t taken() const {
        return state_.with([](const State& state) { return state.taken; });
    }

private:
    struct State {
        std::size_t taken = 0;
        std::map<PeerAddress, std::size_t> peers;  // of those that have any
    };

    const Options options_;
    objstore::Guarded<State> state_;
};

}  // namespace nfs
