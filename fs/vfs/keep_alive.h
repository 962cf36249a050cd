#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "fs/vfs/node_table.h"
#include "objstore/base/clock.h"

namespace fs {

// Keeps files that NFS uses, which has no open, for a time after their last use: a file removed
// meanwhile can still be read. At most `nodes_max`; beyond that the oldest go early.
// Threads: any. One thread, which sleeps while there is nothing to let go.
class KeepAlive final {
public:
    struct Options {
        std::chrono::seconds time{60};
        std::size_t nodes_max = 65536;
    };
    KeepAlive(Options options, const objstore::Clock& clock);
    ~KeepAlive();  // stops

    void used(const NodeRef& node);
    // Lets all go. Safe to repeat.
    void stop();

private:
    struct Kept {
        std::chrono::nanoseconds until{0};
        NodeRef node;
    };
    void run();
    NodeRef take_due();

    const Options options_;
    const objstore::Clock& clock_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<Kept> kept_;  // in order of time
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace fs
