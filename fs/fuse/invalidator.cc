#include "fs/fuse/invalidator.h"

#include <cerrno>

#include <spdlog/spdlog.h>

#include "objstore/base/named_thread.h"

namespace fs {

using objstore::Change;

namespace {

// A thread's own: no other sees it, and it means nothing once the request is over.
thread_local bool serving_request = false;

}  // namespace

Invalidator::Serving::Serving() {
    serving_request = true;
}
Invalidator::Serving::~Serving() {
    serving_request = false;
}

Invalidator::Invalidator(Options options, Deps deps) : options_(options), deps_(deps) {}

Invalidator::~Invalidator() {
    stop();
}

void Invalidator::start(KernelCache& cache) {
    cache_ = &cache;
    const std::lock_guard lock(mutex_);
    ASSERT(!running_);
    running_ = true;
    thread_ = objstore::named_thread("fuse-forget", [this] { run(); });
}

void Invalidator::stop() {
    {
        const std::lock_guard lock(mutex_);
        running_ = false;
        queue_.clear();
        overflowed_.clear();
        done_ = queued_;
    }
    wake_.notify_all();
    told_.notify_all();
    if (thread_.joinable()) thread_.join();
}

bool Invalidator::known(const Change& change) {
    return deps_.inodes.knows(change.inode);
}

void Invalidator::changed(std::span<const Change> changes, Door door) {
    if (door == Door::fuse) return;  // The kernel knows what it did itself.
    // First, so that a reply on its way either is waited for or is not cached.
    deps_.gate.changed();
    Changes known_ones;
    for (const Change& change : changes) {
        if (!known(change)) continue;
        if (change.kind == Change::Kind::content) deps_.inodes.suspect(change.inode, true);
        known_ones.push_back(change);
    }
    if (known_ones.empty()) return;
    std::uint64_t ticket = 0;
    if (!enqueue(known_ones, ticket)) {
        distrust(known_ones);
        return;
    }
    if (serving_request) return;
    std::unique_lock lock(mutex_);
    if (told_.wait_for(lock, options_.wait_max, [&] { return done_ >= ticket; })) return;
    ++stats_.timed_out;
    lock.unlock();
    distrust(known_ones);
    deps_.log.warn("event=kernel_cache_late inode={} name=\"{}\"",
                   known_ones.front().inode,
                   known_ones.front().name);
}

void Invalidator::tell_later(Change change) {
    deps_.gate.changed();
    std::uint64_t ticket = 0;
    (void)enqueue({std::move(change)}, ticket);
}

bool Invalidator::enqueue(Changes changes, std::uint64_t& ticket) {
    {
        const std::lock_guard lock(mutex_);
        if (!running_) return true;  // Nothing is mounted, nothing is cached.
        if (queue_.size() + changes.size() > options_.queue_max) {
            stats_.dropped += changes.size();
            // Of no more than the kernel knows; it keeps attributes for an hour.
            for (const Change& change : changes) {
                if (change.kind != Change::Kind::entry) overflowed_.insert(change.inode);
            }
            return false;
        }
        queued_ += changes.size();
        ticket = queued_;
        queue_.insert(queue_.end(), changes.begin(), changes.end());
    }
    wake_.notify_one();
    return true;
}

void Invalidator::distrust(const Changes& changes) {
    const std::chrono::nanoseconds until = deps_.clock.steady() + options_.distrust;
    const std::lock_guard lock(mutex_);
    for (const Change& change : changes) {
        if (change.kind == Change::Kind::entry) distrusted_[change.inode] = until;
    }
    distrusts_ = !distrusted_.empty();
}

bool Invalidator::trusts(InodeId directory) {
    if (!distrusts_) return true;
    const std::chrono::nanoseconds now = deps_.clock.steady();
    const std::lock_guard lock(mutex_);
    std::erase_if(distrusted_, [&](const auto& entry) { return entry.second <= now; });
    distrusts_ = !distrusted_.empty();
    return distrusted_.count(directory) == 0;
}

Invalidator::Stats Invalidator::stats() const {
    const std::lock_guard lock(mutex_);
    return stats_;
}

void Invalidator::run() {
    std::unique_lock lock(mutex_);
    while (true) {
        wake_.wait(lock, [&] { return !running_ || !queue_.empty(); });
        if (!running_) return;
        Changes batch;
        batch.swap(queue_);
        for (const InodeId inode : overflowed_) {
            batch.push_back({Change::Kind::content, inode, {}});
        }
        overflowed_.clear();
        const std::uint64_t ticket = queued_;
        lock.unlock();
        tell_all(batch);
        lock.lock();
        done_ = std::max(done_, ticket);
        stats_.told += batch.size();
        told_.notify_all();
    }
}

void Invalidator::tell_all(const Changes& changes) {
    deps_.gate.wait_for_replies();
    for (const Change& change : changes) tell(change);
}

void Invalidator::tell(const Change& change) {
    int error = 0;
    if (change.kind == Change::Kind::entry) {
        error = cache_->forget_entry(change.inode, change.name);
    } else {
        error = tell_inode(change);
        // A lookup was answered, but the kernel's thread has not taken its answer in yet. It holds
        // the directory until then: who forgets the name waits for it.
        if (error == -ENOENT && known(change)) {
            const auto inode = deps_.names.getattr(change.inode);
            if (inode.ok() && (*inode)->parent != 0) {
                std::string name = (*inode)->name;
                if (!name.empty() && name.back() == '/') name.pop_back();
                (void)cache_->forget_entry((*inode)->parent, name);
                error = tell_inode(change);
            }
        }
        if (change.kind == Change::Kind::content) deps_.inodes.suspect(change.inode, false);
    }
    if (error != 0 && error != -ENOENT) {
        deps_.log.warn("event=kernel_cache_failed inode={} name=\"{}\" errno={}",
                       change.inode,
                       change.name,
                       -error);
    }
}

int Invalidator::tell_inode(const Change& change) {
    return change.kind == Change::Kind::content ? cache_->forget_content(change.inode)
                                                : cache_->forget_attributes(change.inode);
}

}  // namespace fs
