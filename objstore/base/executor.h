#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace objstore {

// Runs work in parallel. Threads: any.
class Executor {
public:
    virtual ~Executor() = default;
    // Calls fn(0) … fn(count - 1), possibly at once, and returns when all have returned.
    virtual void for_each(std::size_t count, const std::function<void(std::size_t)>& fn) = 0;
    // Runs `job` later in another thread; one that has no other threads runs it at once. False:
    // the queue is full or stopping, and nothing was done. Never with a lock held. Whoever posts
    // also waits for the job before it ends itself.
    // NOLINTNEXTLINE(performance-unnecessary-value-param): those with threads keep it
    [[nodiscard]] virtual bool post(std::function<void()> job) {
        job();
        return true;
    }
};

// Runs everything in the calling thread, in order.
class InlineExecutor final : public Executor {
public:
    void for_each(std::size_t count, const std::function<void(std::size_t)>& fn) override;
};

// A fixed number of threads over one bounded queue.
class ThreadPool final : public Executor {
public:
    struct Options {
        std::size_t threads = 4;
        std::size_t queue_max = 4096;
        const char* name = "pool";  // of its threads, at most 15 bytes
    };
    explicit ThreadPool(Options options);
    ~ThreadPool() override;  // stops

    [[nodiscard]] bool post(std::function<void()> job) override;
    // The caller works too, so this makes progress when all threads are busy.
    void for_each(std::size_t count, const std::function<void(std::size_t)>& fn) override;
    // Refuses new jobs, finishes queued ones, joins. Safe to repeat.
    void stop();

private:
    void run();

    const Options options_;
    std::mutex mutex_;
    std::condition_variable ready_;
    std::deque<std::function<void()>> queue_;
    bool stopping_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace objstore
