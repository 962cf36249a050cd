#pragma once

#include <functional>
#include <new>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include "objstore/base/executor.h"
#include "objstore/net/event.h"

namespace objstore {

// A job that runs on a pool while its coroutine does something else, such as feeding it. Threads:
// the coroutine's own. It must see the job through: this may go away only when done(). The event,
// the job and the pool must outlive it; the coroutine's context must outlive the pool's threads, of
// which one may still be about to return from telling it.
template <typename Job>
class Running final {
public:
    using Value = std::invoke_result_t<Job&>;

    // `event` is set when the job is done, after `on_done` (if any) was called, both on the
    // coroutine's thread.
    Running(IoExecutor executor, Event& event, Job& job, std::function<void()> on_done = nullptr)
        : executor_(std::move(executor)), event_(event), job_(job), on_done_(std::move(on_done)) {}
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;
    ~Running() { ASSERT(done_ || !started_); }

    // unavailable: the pool's queue is full; nothing will run.
    Status start(ThreadPool& pool) {
        ASSERT(!started_);
        // One pointer, so that std::function needs no memory for it.
        if (!pool.post([this] { run(); })) {
            return Status::unavailable("all workers are busy", Why::busy);
        }
        started_ = true;
        return {};
    }

    bool done() const { return done_; }

    // Once done. io_error, unavailable: the job threw.
    Result<Value> take() {
        ASSERT(done_);
        if (!failure_.ok()) return std::move(failure_);
        ASSERT(value_.has_value());
        return std::move(*value_);
    }

private:
    void run() {
        try {
            value_.emplace(job_());
        } catch (const std::bad_alloc&) {
            failure_ = Status::unavailable("out of memory", Why::busy);
        } catch (const std::exception& e) {
            failure_ = Status::io_error(std::string("worker: ") + e.what());
        }
        // Everything that ends this object's life happens on the coroutine's thread, behind this.
        boost::asio::post(executor_, [this] {
            done_ = true;
            if (on_done_) on_done_();
            event_.set();
        });
    }

    IoExecutor executor_;
    Event& event_;
    Job& job_;
    const std::function<void()> on_done_;
    std::optional<Value> value_;
    Status failure_;
    bool started_ = false;
    bool done_ = false;
};

// Runs `job` on a pool and gives its value, on the coroutine's own thread again. unavailable: the
// queue is full and the job has not run.
template <typename Job>
Task<Result<std::invoke_result_t<Job&>>> run_on(ThreadPool& pool, Job job) {
    auto executor = co_await boost::asio::this_coro::executor;
    Event event(executor);
    Running<Job> running(executor, event, job);
    CO_TRY(running.start(pool));
    while (!running.done()) co_await event.wait();
    co_return running.take();
}

}  // namespace objstore
