#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <list>
#include <unordered_map>
#include <vector>

#include "nfs/rpc/call.h"
#include "nfs/rpc/siphash.h"
#include "objstore/base/clock.h"
#include "objstore/base/guarded.h"

namespace nfs {

// An address without its port; IPv4 as IPv4-mapped IPv6.
using PeerAddress = std::array<std::byte, 16>;

// What makes a call the same call again. A client that reconnects keeps its transaction ids and
// changes its port; the hashes tell a retransmission from a reused id, and one user from another
// who would have its answers.
struct CallKey {
    PeerAddress peer{};
    std::uint32_t xid = 0;
    std::uint32_t program = 0;
    std::uint32_t version = 0;
    std::uint32_t procedure = 0;
    std::uint64_t args_hash = 0;
    std::uint64_t caller_hash = 0;  // of the user and the groups

    bool operator==(const CallKey&) const = default;
};

// Answers a repeated call that must not be carried out twice, such as a REMOVE whose reply was
// lost, with the reply of the first. Kept in memory only: after a restart a repeated call is
// carried out again, as with every NFSv3 server. Bounded for each client and in total, oldest
// first. Threads: any. `clock` must outlive this.
class ReplyCache final {
public:
    struct Options {
        std::size_t per_client_max = 512;
        std::size_t total_max = 8192;
        std::size_t reply_bytes_max = 1024;  // longer ones are not kept
        std::chrono::seconds age_max{120};
    };
    enum class State {
        fresh,        // carry it out, then `finish` or `forget`
        in_progress,  // somebody is at it: drop this one
        done,         // send `reply`
        unkept,       // carry it out; there is no room to remember it
    };
    struct Found {
        State state = State::fresh;
        std::vector<std::byte> reply;
    };

    ReplyCache(Options options, const objstore::Clock& clock, const SipKey& key);

    CallKey key_of(const PeerAddress& peer, const Call& call) const;
    Found begin(const CallKey& key);
    // Only after `fresh`.
    void finish(const CallKey& key, std::vector<std::byte> reply);
    void forget(const CallKey& key);
    std::size_t size() const;

private:
    struct Entry;
    using Order = std::list<Entry>;  // oldest first
    struct Entry {
        CallKey key;
        bool done = false;
        std::chrono::nanoseconds since{0};
        std::vector<std::byte> reply;
        std::list<Order::iterator>::iterator in_client;
    };
    struct KeyHash {
        SipKey key;
        std::size_t operator()(const CallKey& call) const;
        std::size_t operator()(const PeerAddress& peer) const;
    };
    struct Table {
        explicit Table(const SipKey& key) : by_key(64, KeyHash{key}), clients(16, KeyHash{key}) {}
        Order order;
        std::unordered_map<CallKey, Order::iterator, KeyHash> by_key;
        std::unordered_map<PeerAddress, std::list<Order::iterator>, KeyHash> clients;
    };
    static void erase(Table& table, Order::iterator entry);
    static bool evict_one(Table& table, const std::list<Order::iterator>& candidates);
    bool make_room(Table& table, const PeerAddress& peer) const;

    const Options options_;
    const objstore::Clock& clock_;
    const SipKey key_;
    objstore::Guarded<Table> table_;
};

}  // namespace nfs
