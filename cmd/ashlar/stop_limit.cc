#include "cmd/ashlar/stop_limit.h"

#include "objstore/base/assert.h"
#include "objstore/base/named_thread.h"

namespace cmd {

void StopLimit::start(std::chrono::milliseconds time) {
    ASSERT(!thread_.joinable());
    thread_ = objstore::named_thread("stop-limit", [this, time] {
        std::unique_lock lock(mutex_);
        if (wake_.wait_for(lock, time, [this] { return done_; })) return;
        lock.unlock();
        over_(at_);
    });
}

StopLimit::~StopLimit() {
    if (!thread_.joinable()) return;
    {
        const std::lock_guard lock(mutex_);
        done_ = true;
    }
    wake_.notify_one();
    thread_.join();
}

}  // namespace cmd
