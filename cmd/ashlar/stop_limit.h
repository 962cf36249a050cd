#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace cmd {

// Once started, calls `over` from a thread of its own with what is being stopped, if it is not
// destroyed in time: so that a stop ends although a disk does not answer. Threads: one, but
// `now_at` any.
class StopLimit final {
public:
    explicit StopLimit(std::function<void(const char*)> over) : over_(std::move(over)) {}
    ~StopLimit();  // waits for `over` if that runs

    StopLimit(const StopLimit&) = delete;
    StopLimit& operator=(const StopLimit&) = delete;

    // Once.
    void start(std::chrono::milliseconds time);
    void now_at(const char* what) { at_ = what; }

private:
    const std::function<void(const char*)> over_;
    std::atomic<const char*> at_{"start"};
    std::mutex mutex_;
    std::condition_variable wake_;
    bool done_ = false;
    std::thread thread_;
};

}  // namespace cmd
