#pragma once

#include <chrono>
#include <memory>
#include <mutex>

#include "objstore/net/task.h"

namespace objstore {

// Wakes one coroutine. Set once before or during a wait, it ends that wait (and is unset by it);
// setting it again before that changes nothing. Threads: `set` any; `wait` the coroutine's own. May
// be destroyed as soon as a wait has returned and no further `set` can come.
class Event final {
public:
    explicit Event(IoExecutor executor);
    ~Event();
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;

    void set();
    Task<void> wait();
    // Waits for a set or for `limit`, whichever comes first; the caller looks what has happened.
    Task<void> wait_for(std::chrono::milliseconds limit);

private:
    class Waiter;
    template <typename Handler>
    class HandlerWaiter;

    IoExecutor executor_;
    std::mutex mutex_;
    bool set_ = false;
    std::unique_ptr<Waiter> waiter_;
};

}  // namespace objstore
