#include "objstore/base/executor.h"

#include <atomic>
#include <memory>

#include "objstore/base/named_thread.h"

namespace objstore {

namespace {

// One for_each call: shared with helpers that may look at it after the call has returned.
struct Round {
    std::function<void(std::size_t)> fn;
    std::size_t count;
    std::atomic<std::size_t> next{0};
    std::mutex mutex;
    std::condition_variable all_done;
    std::size_t done = 0;

    void work() {
        for (std::size_t i = next.fetch_add(1); i < count; i = next.fetch_add(1)) {
            fn(i);
            const std::lock_guard lock(mutex);
            if (++done == count) all_done.notify_all();
        }
    }
};

}  // namespace

void InlineExecutor::for_each(std::size_t count, const std::function<void(std::size_t)>& fn) {
    for (std::size_t i = 0; i < count; ++i) fn(i);
}

ThreadPool::ThreadPool(Options options) : options_(options) {
    threads_.reserve(options_.threads);
    for (std::size_t i = 0; i < options_.threads; ++i) {
        threads_.push_back(named_thread(options_.name, [this] { run(); }));
    }
}

ThreadPool::~ThreadPool() {
    stop();
}

bool ThreadPool::post(std::function<void()> job) {
    {
        const std::lock_guard lock(mutex_);
        if (stopping_ || queue_.size() >= options_.queue_max) return false;
        queue_.push_back(std::move(job));
    }
    ready_.notify_one();
    return true;
}

void ThreadPool::for_each(std::size_t count, const std::function<void(std::size_t)>& fn) {
    if (count == 0) return;
    // Shared: a helper that starts late finds no work left, after this call has returned.
    auto round = std::make_shared<Round>();
    round->fn = fn;
    round->count = count;
    for (std::size_t i = 1; i < count; ++i) {
        if (!post([round] { round->work(); })) break;
    }
    round->work();
    std::unique_lock lock(round->mutex);
    round->all_done.wait(lock, [&] { return round->done == round->count; });
}

void ThreadPool::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    ready_.notify_all();
    for (std::thread& thread : threads_) {
        if (thread.joinable()) thread.join();
    }
}

void ThreadPool::run() {
    std::unique_lock lock(mutex_);
    while (true) {
        ready_.wait(lock, [&] { return stopping_ || !queue_.empty(); });
        if (queue_.empty()) return;
        auto job = std::move(queue_.front());
        queue_.pop_front();
        lock.unlock();
        job();
        job = nullptr;
        lock.lock();
    }
}

}  // namespace objstore
