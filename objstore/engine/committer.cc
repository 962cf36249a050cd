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

struct Committer::Job {
    Txn txn;
    std::vector<Placement> placements;
    Pins::Pin pin;
    Completion done;

    void fail(Status status) const {
        TxnResult result;
        result.status = std::move(status);
        done(std::move(result));
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

void Committer::submit(Txn txn, std::vector<Placement> placements, Completion done) {
    const std::size_t size_bytes = total_bytes(placements);
    auto job = std::make_shared<Job>(
        Job{std::move(txn), std::move(placements), pins_.acquire(), std::move(done)});
    if (size_bytes == 0) {
        name(std::move(job), 0);
    } else if (place_inline(*job, size_bytes)) {
        name(std::move(job), size_bytes);
    } else if (!enqueue(job)) {
        job->fail(Status::unavailable("too many writes are waiting", Why::busy));
    }
}

TxnResult Committer::commit(Txn txn, std::vector<Placement> placements) {
    TxnResult result;
    OneShot done;
    submit(std::move(txn), std::move(placements), [&](TxnResult&& given) {
        result = std::move(given);
        done.set();
    });
    done.wait();
    return result;
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

bool Committer::enqueue(const JobPtr& job) {
    {
        const std::lock_guard lock(mutex_);
        if (stopping_ || queue_.size() >= options_.queue_max) return false;
        queue_.push_back(job);
    }
    ready_.notify_one();
    return true;
}

// The bytes are where they belong: on to the namespace.
void Committer::name(JobPtr job, std::size_t inline_bytes) {
    Txn txn = std::move(job->txn);
    meta_.submit(std::move(txn),
                 [this, job = std::move(job), inline_bytes](TxnResult&& result) mutable {
                     inline_in_flight_ -= inline_bytes;
                     // Whoever is told may be gone after that, and the pins with him.
                     const Completion done = std::move(job->done);
                     job.reset();
                     done(std::move(result));
                 });
}

void Committer::run() {
    std::unique_lock lock(mutex_);
    while (true) {
        ready_.wait(lock, [&] { return stopping_ || !queue_.empty(); });
        if (queue_.empty()) return;
        const std::vector<JobPtr> batch = take_batch(lock);
        storing_ = true;
        lock.unlock();
        store_batch(batch);
        lock.lock();
        storing_ = false;
    }
}

std::vector<Committer::JobPtr> Committer::take_batch(std::unique_lock<std::mutex>& lock) {
    ASSERT(lock.owns_lock());
    std::size_t count = 0;
    for (std::size_t bytes = 0; count < queue_.size(); ++count) {
        bytes += total_bytes(queue_[count]->placements);
        if (count > 0 && bytes > options_.batch_bytes_max) break;
    }
    const auto end = queue_.begin() + static_cast<std::ptrdiff_t>(count);
    std::vector<JobPtr> batch(queue_.begin(), end);
    queue_.erase(queue_.begin(), end);
    return batch;
}

// The bytes are synced on their disks before the namespace hears of them.
void Committer::store_batch(const std::vector<JobPtr>& batch) {
    std::vector<Piece> pieces;
    for (const JobPtr& job : batch) {
        for (const Placement& p : job->placements) pieces.push_back({p.owner, p.bytes});
    }
    auto stored = volumes_.append(pieces);
    std::size_t next = 0;
    for (const JobPtr& job : batch) {
        if (!stored.ok()) {
            job->fail(stored.error());
            continue;
        }
        for (const Placement& p : job->placements) {
            auto& extents = content_of(job->txn.ops[p.op]).extents;
            const auto& placed = (*stored)[next++];
            extents.insert(extents.end(), placed.begin(), placed.end());
        }
        name(job, 0);
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
