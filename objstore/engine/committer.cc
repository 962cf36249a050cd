#include "objstore/engine/committer.h"

#include <algorithm>

#include "objstore/base/named_thread.h"
#include "objstore/base/one_shot.h"

namespace objstore {

namespace {

constexpr std::size_t kInlineBytesMax = 64 * kKiB;

NewContent& content_of(Op& op) {
    if (auto* put = std::get_if<PutObjectOp>(&op)) return put->content;
    if (auto* part = std::get_if<PutPartOp>(&op)) return part->content;
    if (auto* write = std::get_if<WriteOp>(&op)) return write->content;
    UNREACHABLE();
}

std::size_t total_bytes(const std::vector<Placement>& placements) {
    std::size_t total = 0;
    for (const Placement& p : placements) total += p.bytes.size();
    return total;
}

}  // namespace

// Lives on the stack of the caller, who waits for `done`.
struct Committer::Job {
    Txn txn;
    std::vector<Placement> placements;
    Pins::Pin pin;
    TxnResult result;

    OneShot done;

    void fail(Status status) {
        result.status = std::move(status);
        done.set();
    }
};

Committer::Committer(Options options, MetaStore& meta, VolumeStore& volumes, Pins& pins)
    : options_(options),
      meta_(meta),
      volumes_(volumes),
      pins_(pins),
      thread_(named_thread("committer", [this] { run(); })) {}

Committer::~Committer() {
    stop();
}

TxnResult Committer::commit(Txn txn, std::vector<Placement> placements) {
    Job job{.txn = std::move(txn), .placements = std::move(placements), .pin = pins_.acquire()};
    const std::size_t size_bytes = total_bytes(job.placements);
    if (size_bytes == 0) {
        submit(job, 0);
    } else if (place_inline(job, size_bytes)) {
        submit(job, size_bytes);
    } else if (!enqueue(job)) {
        job.fail(Status::unavailable("too many writes are waiting; try again"));
    }
    job.done.wait();
    return std::move(job.result);
}

// Inline only while no stripe is being written: whoever comes during that shares the next one.
bool Committer::place_inline(Job& job, std::size_t size_bytes) {
    if (size_bytes > options_.inline_batch_bytes) return false;
    for (const Placement& p : job.placements) {
        if (p.bytes.size() > kInlineBytesMax) return false;
    }
    if (meta_.totals().inline_bytes + size_bytes > options_.inline_waiting_bytes) return false;
    {
        const std::lock_guard lock(mutex_);
        if (storing_ || !queue_.empty() || stopping_) return false;
        if (inline_in_flight_ + size_bytes > options_.inline_batch_bytes) return false;
        inline_in_flight_ += size_bytes;
    }
    for (const Placement& p : job.placements) {
        content_of(job.txn.ops[p.op])
            .inlines.push_back({p.owner.logical_offset, std::string(as_text(p.bytes))});
    }
    return true;
}

bool Committer::enqueue(Job& job) {
    {
        const std::lock_guard lock(mutex_);
        if (stopping_ || queue_.size() >= options_.queue_max) return false;
        queue_.push_back(&job);
    }
    ready_.notify_one();
    return true;
}

void Committer::submit(Job& job, std::size_t inline_bytes) {
    meta_.submit(std::move(job.txn), [this, &job, inline_bytes](TxnResult&& result) {
        inline_in_flight_ -= inline_bytes;
        job.result = std::move(result);
        job.done.set();
    });
}

void Committer::run() {
    std::unique_lock lock(mutex_);
    while (true) {
        ready_.wait(lock, [&] { return stopping_ || !queue_.empty(); });
        if (queue_.empty()) return;
        const std::vector<Job*> batch = take_batch(lock);
        storing_ = true;
        lock.unlock();
        store_batch(batch);
        lock.lock();
        storing_ = false;
    }
}

std::vector<Committer::Job*> Committer::take_batch(std::unique_lock<std::mutex>& lock) {
    ASSERT(lock.owns_lock());
    std::size_t count = 0;
    for (std::size_t bytes = 0; count < queue_.size(); ++count) {
        bytes += total_bytes(queue_[count]->placements);
        if (count > 0 && bytes > options_.batch_bytes_max) break;
    }
    const auto end = queue_.begin() + static_cast<std::ptrdiff_t>(count);
    std::vector<Job*> batch(queue_.begin(), end);
    queue_.erase(queue_.begin(), end);
    return batch;
}

// The bytes are synced on their disks before the namespace hears of them.
void Committer::store_batch(const std::vector<Job*>& batch) {
    std::vector<Piece> pieces;
    for (const Job* job : batch) {
        for (const Placement& p : job->placements) pieces.push_back({p.owner, p.bytes});
    }
    auto stored = volumes_.append(pieces);
    std::size_t next = 0;
    for (Job* job : batch) {
        if (!stored.ok()) {
            job->fail(stored.error());
            continue;
        }
        for (const Placement& p : job->placements) {
            auto& extents = content_of(job->txn.ops[p.op]).extents;
            const auto& placed = (*stored)[next++];
            extents.insert(extents.end(), placed.begin(), placed.end());
        }
        submit(*job, 0);
    }
}

void Committer::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    ready_.notify_all();
    if (thread_.joinable()) thread_.join();
}

}  // namespace objstore
