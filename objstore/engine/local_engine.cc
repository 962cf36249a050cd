#include "objstore/engine/local_engine.h"

#include <algorithm>

namespace objstore {

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
