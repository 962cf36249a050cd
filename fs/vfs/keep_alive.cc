#include "fs/vfs/keep_alive.h"

#include "objstore/base/named_thread.h"

namespace fs {

KeepAlive::KeepAlive(Options options, const objstore::Clock& clock)
    : options_(options),
      clock_(clock),
      thread_(objstore::named_thread("keep-alive", [this] { run(); })) {}

KeepAlive::~KeepAlive() {
    stop();
}

void KeepAlive::used(const NodeRef& node) {
    const std::chrono::nanoseconds now = clock_.steady();
    node->last_use = now;
    if (node->kept.exchange(true)) return;
    NodeRef oldest;
    {
        const std::lock_guard lock(mutex_);
        if (stopping_) return;
        kept_.push_back({now + options_.time, node.share()});
        if (kept_.size() > options_.nodes_max) {
            oldest = std::move(kept_.front().node);
            oldest->kept = false;
            kept_.pop_front();
        }
        if (kept_.size() > 1) return;
    }
    wake_.notify_one();
}

// The next node whose time is over; empty when there is none. One used since is put off instead.
NodeRef KeepAlive::take_due() {
    const std::chrono::nanoseconds now = clock_.steady();
    while (!kept_.empty() && (stopping_ || kept_.front().until <= now)) {
        Kept first = std::move(kept_.front());
        kept_.pop_front();
        const std::chrono::nanoseconds until = first.node->last_use.load() + options_.time;
        if (!stopping_ && until > now) {
            kept_.push_back({until, std::move(first.node)});
            continue;
        }
        first.node->kept = false;
        return std::move(first.node);
    }
    return {};
}

void KeepAlive::run() {
    std::unique_lock lock(mutex_);
    while (true) {
        if (NodeRef node = take_due()) {
            // Perhaps the last reference, which releases the inode: no work under a lock.
            lock.unlock();
            node = NodeRef();
            lock.lock();
        } else if (stopping_) {
            return;
        } else if (kept_.empty()) {
            wake_.wait(lock);
        } else {
            wake_.wait_for(lock, kept_.front().until - clock_.steady());
        }
    }
}

void KeepAlive::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_one();
    if (thread_.joinable()) thread_.join();
}

}  // namespace fs
