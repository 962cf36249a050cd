#include "fs/fuse/invalidator.h"

#include <cerrno>

#include <spdlog/spdlog.h>

#include "objstore/base/named_thread.h"

namespace fs {

using objstore::Change;

namespace {

constexpr std::size_t kPage = 1000;
constexpr std::chrono::seconds kRetryAfter(1);

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
        overflow_ = {};
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
    const std::uint64_t ticket = enqueue(known_ones);
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
    (void)enqueue({std::move(change)});
}

void Invalidator::Overflow::add(const Change& change) {
    (change.kind == Change::Kind::entry ? directories : inodes).insert(change.inode);
}

// The ticket that is done when the kernel was told.
std::uint64_t Invalidator::enqueue(Changes changes) {
    std::uint64_t ticket = 0;
    {
        const std::lock_guard lock(mutex_);
        if (!running_) return 0;  // Nothing is mounted, nothing is cached.
        queued_ += changes.size();
        ticket = queued_;
        if (queue_.size() + changes.size() > options_.queue_max) {
            stats_.overflowed += changes.size();
            for (const Change& change : changes) overflow_.add(change);
        } else {
            queue_.insert(queue_.end(), changes.begin(), changes.end());
        }
    }
    wake_.notify_one();
    return ticket;
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
        wake_.wait(lock, [&] { return !running_ || !queue_.empty() || !overflow_.empty(); });
        if (!running_) return;
        Changes batch;
        batch.swap(queue_);
        Overflow overflow = std::exchange(overflow_, {});
        const std::uint64_t ticket = queued_;
        lock.unlock();
        tell_all(batch);
        tell_overflow(overflow);
        lock.lock();
        stats_.told += batch.size();
        if (overflow.empty()) {
            done_ = std::max(done_, ticket);
            told_.notify_all();
            continue;
        }
        // Those waited for could not be told whole. Again, when there is hope.
        overflow_.directories.merge(overflow.directories);
        wake_.wait_for(lock, kRetryAfter, [&] { return !running_; });
    }
}

void Invalidator::tell_all(const Changes& changes) {
    deps_.gate.wait_for_replies();
    for (const Change& change : changes) tell(change);
}

// Leaves those of the directories that could not be read.
void Invalidator::tell_overflow(Overflow& overflow) {
    for (const InodeId inode : overflow.inodes) tell({Change::Kind::content, inode, {}});
    overflow.inodes.clear();
    if (overflow.directories.empty()) return;
    for (std::size_t part = 0; part < KernelInodes::kParts; ++part) {
        for (auto& [parent, name] : deps_.inodes.names_in(overflow.directories, part)) {
            tell({Change::Kind::entry, parent, std::move(name)});
        }
    }
    std::erase_if(overflow.directories, [&](InodeId directory) {
        const Status status = tell_names(directory);
        if (!status.ok()) {
            deps_.log.warn(
                "event=kernel_cache_failed inode={} error=\"{}\"", directory, status.message());
        }
        return status.ok();
    });
}

// All that are there now: the kernel may believe that they are not, or are others.
Status Invalidator::tell_names(InodeId directory) {
    for (std::uint64_t cookie = 0;;) {
        TRY_ASSIGN(const auto page, deps_.names.read_directory(directory, cookie, kPage));
        for (const objstore::EntryWithInode& one : page) {
            std::string name = one.entry.name;
            if (name.ends_with('/')) name.pop_back();
            tell({Change::Kind::entry, directory, std::move(name)});
        }
        if (page.size() < kPage) return {};
        cookie = page.back().entry.cookie;
    }
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
