#include "objstore/engine/local_engine.h"

#include <algorithm>

#include "objstore/base/one_shot.h"

namespace objstore {

namespace {

// In the writer's queue at a time: others want to get a word in.
constexpr std::size_t kOpsTogether = 128;
// Rounds of the listeners at a time; a kernel that hangs holds one of them up.
constexpr std::size_t kNotifiers = 8;

}  // namespace

LocalEngine::LocalEngine(Options options, Deps deps)
    : meta_(deps.meta),
      volumes_(deps.volumes),
      clock_(deps.clock),
      mover_(options.mover, deps.meta, deps.volumes, pins_, deps.log),
      committer_(options.commit, deps.meta, deps.volumes, pins_),
      notifier_({.threads = kNotifiers, .name = "notifier"}) {}

LocalEngine::~LocalEngine() {
    static_cast<void>(stop());
}

Status LocalEngine::stop() {
    committer_.stop();
    mover_.stop();
    Status status = volumes_.stop();
    Status meta_status = meta_.stop();
    notifier_.stop();
    return status.ok() ? std::move(meta_status) : std::move(status);
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
    if (result.status.ok()) notify(result.changes, door);
    return result_of(std::move(result), failed);
}

Result<OpResult> LocalEngine::result_of(TxnResult result, OpResult* failed) {
    if (!result.status.ok()) {
        if (failed != nullptr && !result.results.empty())
            *failed = std::move(result.results.back());
        return std::move(result.status);
    }
    ASSERT(!result.results.empty());
    if (meta_.totals().upkeep_waiting > 0) mover_.wake();
    return std::move(result.results.back());
}

void LocalEngine::notify(std::span<const Change> changes, Door door) {
    if (changes.empty() || listener_count_ == 0) return;
    const std::shared_lock telling(listeners_mutex_);
    for (ChangeListener* listener : listeners_) listener->changed(changes, door);
}

// In the namespace's own thread: listeners may wait, and it has others to serve.
void LocalEngine::finish_put(Put put) {
    const bool told = !put.result.status.ok() || put.result.changes.empty();
    if (told || listener_count_ == 0) {
        put.done(result_of(std::move(put.result), nullptr));
        return;
    }
    untold_.with([&](auto& untold) { untold.push_back(std::move(put)); });
    // Where the queue is full, there is somebody on the way to tell of this one too.
    static_cast<void>(notifier_.post([this] { tell_puts(); }));
}

// Of all that wait at once: each round of the listeners may take a while.
void LocalEngine::tell_puts() {
    std::vector<Put> puts;
    untold_.with([&](auto& untold) { puts.swap(untold); });
    std::vector<Change> changes;
    for (const Put& put : puts) {
        changes.insert(changes.end(), put.result.changes.begin(), put.result.changes.end());
    }
    notify(changes, Door::s3);
    for (Put& put : puts) put.done(result_of(std::move(put.result), nullptr));
}

void LocalEngine::subscribe(ChangeListener* listener) {
    const std::lock_guard nobody_tells(listeners_mutex_);
    listeners_.push_back(listener);
    listener_count_ = listeners_.size();
}

void LocalEngine::unsubscribe(ChangeListener* listener) {
    const std::lock_guard nobody_tells(listeners_mutex_);
    std::erase(listeners_, listener);
    listener_count_ = listeners_.size();
}

Engine::Space LocalEngine::space() {
    const DiskSpace disks = volumes_.space();
    return {disks.total_bytes, disks.free_bytes, meta_.totals().inodes};
}

}  // namespace objstore
