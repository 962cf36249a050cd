#pragma once

#include <new>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <boost/asio/this_coro.hpp>

#include "objstore/base/executor.h"
#include "objstore/net/event.h"

namespace objstore {

// A job that runs on a pool while its coroutine does something else, such as feeding it. The
// coroutine must see it through: `wait` until done() before this goes away. The job and the pool
// must outlive it.
template <typename Job>
class Running final {
public:
    using Value = std::invoke_result_t<Job&>;

    Running(IoExecutor executor, Job& job) : job_(job), event_(std::move(executor)) {}
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;
    ~Running() { ASSERT(!started_ || waited_); }

    // unavailable: the pool's queue is full; nothing will run.
    Status start(ThreadPool& pool) {
        ASSERT(!started_);
        // One pointer, so that std::function needs no memory for it.
        if (!pool.post([this] { run(); })) return Status::unavailable("all workers are busy");
        started_ = true;
        return {};
    }

    Task<void> wait() {
        ASSERT(started_);
        waited_ = true;
        return event_.wait();
    }

    // After wait. io_error, unavailable: the job threw.
    Result<Value> take() {
        if (!failure_.ok()) return std::move(failure_);
        ASSERT(value_.has_value());
        return std::move(*value_);
    }

private:
    void run() {
        try {
            value_.emplace(job_());
        } catch (const std::bad_alloc&) {
            failure_ = Status::unavailable("out of memory");
        } catch (const std::exception& e) {
            failure_ = Status::io_error(std::string("worker: ") + e.what());
        }
        event_.set();
    }

    Job& job_;
    Event event_;
    std::optional<Value> value_;
    Status failure_;
    bool started_ = false;
    bool waited_ = false;
};

// Runs `job` on a pool and gives its value, on the coroutine's own thread again. unavailable: the
// queue is full and the job has not run.
template <typename Job>
Task<Result<std::invoke_result_t<Job&>>> run_on(ThreadPool& pool, Job job) {
    auto executor = co_await boost::asio::this_coro::executor;
    Running<Job> running(executor, job);
    CO_TRY(running.start(pool));
    co_await running.wait();
    co_return running.take();
}

}  // namespace objstore
