#include "s3api/http/source_pump.h"

#include <utility>

#include <boost/asio/basic_waitable_timer.hpp>

namespace s3api {

using objstore::Task;

SourcePump::SourcePump(BodySource& source,
                       objstore::ThreadPool& workers,
                       const objstore::IoExecutor& executor)
    : workers_(workers), executor_(executor), event_(executor), job_{&source} {}

objstore::Status SourcePump::start() {
    running_.emplace(executor_, event_, job_);
    objstore::Status started = running_->start(workers_);
    if (!started.ok()) running_.reset();
    return started;
}

Task<std::optional<SourcePump::Pieces>> SourcePump::next(
    std::optional<std::chrono::milliseconds> limit) {
    if (!running_) {
        auto at_once = job_.source->try_next();
        blocking_ = !at_once.has_value();
        if (at_once) co_return std::move(at_once);
        objstore::Status started = start();
        if (!started.ok()) co_return Pieces(std::move(started));
    }
    if (limit) {
        co_await wait(*limit);
        if (!running_->done()) co_return std::nullopt;
    }
    while (!running_->done()) co_await event_.wait();
    objstore::Result<Pieces> fetched = running_->take();
    running_.reset();
    if (!fetched.ok()) co_return Pieces(std::move(fetched).error());
    co_return std::move(*fetched);
}

void SourcePump::prefetch() {
    // When no worker is free now, next() tries again.
    if (blocking_ && !running_) (void)start().ok();
}

Task<void> SourcePump::settle() {
    if (!running_) co_return;
    while (!running_->done()) co_await event_.wait();
    running_.reset();
}

Task<void> SourcePump::wait(std::chrono::milliseconds limit) {
    bool fired = false;
    bool ended = false;
    boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                      boost::asio::wait_traits<std::chrono::steady_clock>,
                                      objstore::IoExecutor>
        timer(executor_, limit);
    timer.async_wait([&](const boost::system::error_code& error) {
        ended = true;
        fired = !error;
        event_.set();
    });
    while (!running_->done() && !fired) co_await event_.wait();
    timer.cancel();
    // The timer's last word is on its way, and refers to this frame.
    while (!ended) co_await event_.wait();
}

}  // namespace s3api
