#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "objstore/base/status.h"

namespace objstore {

// One thread for the calls of one disk, so that a disk that hangs holds up nobody else. Jobs run in
// the order in which they were posted, and own all that they use: one that never returns is left
// alone with its thread when this is destroyed. Threads: any.
class Lane final {
public:
    explicit Lane(const char* name);
    // Waits for the jobs posted, but no longer than `patience`.
    ~Lane();
    Lane(const Lane&) = delete;
    Lane& operator=(const Lane&) = delete;

    void post(std::function<void()> job);
    bool is_idle() const;

    static constexpr std::chrono::milliseconds kPatience{1000};

private:
    struct State {
        std::mutex mutex;
        std::condition_variable changed;
        std::deque<std::function<void()>> jobs;
        bool busy = false;
        bool stopping = false;
    };
    static void run(State& state);

    // Shared: a thread that hangs outlives this.
    const std::shared_ptr<State> state_;
    std::thread thread_;
};

// What several lanes answer to one question. Shared by those who answer, as they may be late.
class Answers final {
public:
    explicit Answers(std::size_t count) : given_(count) {}

    // `counts`: a good one is a reason not to wait for others.
    void give(std::size_t index, Status answer, bool counts = true);
    // Waits until all have answered, or `limit` is over and one has answered well: a machine that
    // stood still fails nobody. Those that have not are timed_out. `one_is_good`: one has, outside.
    std::vector<Status> wait(std::chrono::nanoseconds limit, bool one_is_good = false);

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::optional<Status>> given_;
    std::size_t count_ = 0;
    bool one_is_good_ = false;
};

}  // namespace objstore
