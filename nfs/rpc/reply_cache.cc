#include "nfs/rpc/reply_cache.h"

#include <algorithm>
#include <array>
#include <type_traits>

namespace nfs {

namespace {

std::uint64_t hash_of(const SipKey& key, const Caller& caller) {
    std::array<std::uint32_t, 4 + Caller::kGroupsMax> words{};
    words[0] = caller.is_sys ? 1 : 0;
    words[1] = caller.uid;
    words[2] = caller.gid;
    words[3] = caller.group_count;
    std::copy(caller.groups().begin(), caller.groups().end(), words.begin() + 4);
    return siphash(key, std::as_bytes(std::span(words)));
}

}  // namespace

static_assert(std::has_unique_object_representations_v<CallKey>);  // hashed as bytes

std::size_t ReplyCache::KeyHash::operator()(const CallKey& call) const {
    return siphash(key, std::as_bytes(std::span(&call, 1)));
}

std::size_t ReplyCache::KeyHash::operator()(const PeerAddress& peer) const {
    return siphash(key, peer);
}

ReplyCache::ReplyCache(Options options, const objstore::Clock& clock, const SipKey& key)
    : options_(options), clock_(clock), key_(key), table_(key) {
    ASSERT(options_.per_client_max > 0);
    ASSERT(options_.total_max >= options_.per_client_max);
}

CallKey ReplyCache::key_of(const PeerAddress& peer, const Call& call) const {
    return {peer,
            call.xid,
            call.program,
            call.version,
            call.procedure,
            siphash(key_, call.args),
            hash_of(key_, call.caller)};
}

void ReplyCache::erase(Table& table, Order::iterator entry) {
    const auto client = table.clients.find(entry->key.peer);
    ASSERT(client != table.clients.end());
    client->second.erase(entry->in_client);
    if (client->second.empty()) table.clients.erase(client);
    table.by_key.erase(entry->key);
    table.order.erase(entry);
}

// Only calls that are done can be forgotten; of those in progress there are at most as many as the
// queue of the workers holds.
bool ReplyCache::evict_one(Table& table, const std::list<Order::iterator>& candidates) {
    const auto found =
        std::find_if(candidates.begin(), candidates.end(), [](auto entry) { return entry->done; });
    if (found == candidates.end()) return false;
    erase(table, *found);
    return true;
}

bool ReplyCache::make_room(Table& table, const PeerAddress& peer) const {
    const auto now = clock_.steady();
    while (!table.order.empty()) {
        const auto oldest = table.order.begin();
        if (!oldest->done || now - oldest->since < options_.age_max) break;
        erase(table, oldest);
    }
    const auto client = table.clients.find(peer);
    if (client != table.clients.end() && client->second.size() >= options_.per_client_max &&
        !evict_one(table, client->second)) {
        return false;
    }
    if (table.order.size() < options_.total_max) return true;
    const auto done =
        std::find_if(table.order.begin(), table.order.end(), [](const Entry& e) { return e.done; });
    if (done == table.order.end()) return false;
    erase(table, done);
    return true;
}

ReplyCache::Found ReplyCache::begin(const CallKey& key) {
    return table_.with([&](Table& table) -> Found {
        const auto known = table.by_key.find(key);
        if (known != table.by_key.end()) {
            const Entry& entry = *known->second;
            if (!entry.done) return {State::in_progress, {}};
            if (clock_.steady() - entry.since < options_.age_max) {
                return {State::done, entry.reply};
            }
            erase(table, known->second);
        }
        if (!make_room(table, key.peer)) return {State::unkept, {}};
        const auto entry = table.order.insert(table.order.end(), Entry{});
        entry->key = key;
        entry->since = clock_.steady();
        auto& client = table.clients[key.peer];
        entry->in_client = client.insert(client.end(), entry);
        table.by_key.emplace(key, entry);
        return {State::fresh, {}};
    });
}

void ReplyCache::finish(const CallKey& key, std::vector<std::byte> reply) {
    table_.with([&](Table& table) {
        const auto known = table.by_key.find(key);
        ASSERT(known != table.by_key.end());
        ASSERT(!known->second->done);
        if (reply.size() > options_.reply_bytes_max) return erase(table, known->second);
        known->second->done = true;
        known->second->since = clock_.steady();
        known->second->reply = std::move(reply);
    });
}

void ReplyCache::forget(const CallKey& key) {
    table_.with([&](Table& table) {
        const auto known = table.by_key.find(key);
        ASSERT(known != table.by_key.end());
        ASSERT(!known->second->done);
        erase(table, known->second);
    });
}

std::size_t ReplyCache::size() const {
    return table_.with([](const Table& table) { return table.order.size(); });
}

}  // namespace nfs
