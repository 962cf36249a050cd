#include "objstore/engine/local_engine.h"

#include <algorithm>

#include "objstore/base/one_shot.h"

namespace objstore {

namespace {

// In the writer's queue at a time: others want to get a word in.
constexpr std::size_t kOpsTogether = 128;

}  // namespace

LocalEngine::LocalEngine(Options options, Deps deps)
    : meta_(deps.meta),
      volumes_(deps.volumes),
      clock_(deps.clock),
      mover_(options.mover, deps.meta, deps.volumes, pins_, deps.log),
      committer_(options.commit, deps.meta, deps.volumes, pins_) {}

LocalEngine::~LocalEngine() {
    static_cast<void>(stop());
}

Status LocalEngine::stop() {
    committer_.stop();
    mover_.stop();
    TRY(volumes_.stop());
    return meta_.stop();
}

Result<OpResult> LocalEngine::apply(Op op, CallOptions options, OpResult* failed) {
    TxnResult result = meta_.commit(std::move(op), options.durable);
    return finish(std::move(result), options.door, failed);
}

std::vector<Result<OpResult>> LocalEngine::apply_each(std::vector<Op> ops, CallOptions options) {
    std::vector<Result<OpResult>> results;
    results.reserve(ops.size());
    for (std::size_t from = 0; from < ops.size(); from += kOpsTogether) {
        std::vector<TxnResult> done(std::min(kOpsTogether, ops.size() - from));
        std::atomic<std::size_t> left{done.size()};
        OneShot all;
        for (std::size_t i = 0; i < done.size(); ++i) {
            Txn txn;
            txn.ops.push_back(std::move(ops[from + i]));
            txn.durable = options.durable;
            meta_.submit(std::move(txn), [&, i](TxnResult&& result) {
                done[i] = std::move(result);
                if (left.fetch_sub(1) == 1) all.set();
            });
        }
        all.wait();
        for (TxnResult& one : done) {
            results.push_back(finish(std::move(one), options.door, nullptr));
        }
    }
    return results;
}

Result<OpResult> LocalEngine::commit(Txn txn, std::vector<Placement> placements, Door door) {
    const bool inlined = !placements.empty();
    auto result = finish(committer_.commit(std::move(txn), std::move(placements)), door, nullptr);
    if (inlined) mover_.wake();
    return result;
}

Result<OpResult> LocalEngine::finish(TxnResult result, Door door, OpResult* failed) {
    if (!result.status.ok()) {
        if (failed != nullptr && !result.results.empty())
            *failed = std::move(result.results.back());
        return std::move(result.status);
    }
    ASSERT(!result.results.empty());
    if (meta_.totals().upkeep_waiting > 0) mover_.wake();
    notify(result.changes, door);
    return std::move(result.results.back());
}

void LocalEngine::notify(std::span<const Change> changes, Door door) {
    if (changes.empty()) return;
    const auto listeners = listeners_.with([](const auto& all) { return all; });
    for (ChangeListener* listener : listeners) listener->changed(changes, door);
}

void LocalEngine::subscribe(ChangeListener* listener) {
    listeners_.with([&](auto& all) { all.push_back(listener); });
}

void LocalEngine::unsubscribe(ChangeListener* listener) {
    listeners_.with([&](auto& all) { std::erase(all, listener); });
}

Engine::Space LocalEngine::space() {
    const DiskSpace disks = volumes_.space();
    return {disks.total_bytes, disks.free_bytes, meta_.totals().inodes};
}

}  // namespace objstore
