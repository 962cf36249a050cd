#include "nfs/rpc/memory_budget.h"

namespace nfs {

bool MemoryBudget::try_take(const PeerAddress& peer, std::size_t bytes) {
    return state_.with([&](State& state) {
        const auto known = state.peers.find(peer);
        const std::size_t of_peer = known == state.peers.end() ? 0 : known->second;
        if (bytes > options_.bytes_max - state.taken) return false;
        if (bytes > options_.peer_bytes_max - of_peer) return false;
        state.taken += bytes;
        state.peers[peer] = of_peer + bytes;
        return true;
    });
}

void MemoryBudget::give_back(const PeerAddress& peer, std::size_t bytes) {
    state_.with([&](State& state) {
        const auto known = state.peers.find(peer);
        ASSERT(known != state.peers.end() && known->second >= bytes);
        state.taken -= bytes;
        known->second -= bytes;
        if (known->second == 0) state.peers.erase(known);
    });
}

}  // namespace nfs
