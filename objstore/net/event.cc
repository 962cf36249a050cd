#include "objstore/net/event.h"

#include <utility>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/post.hpp>

#include "objstore/base/assert.h"

namespace objstore {

class Event::Waiter {
public:
    virtual ~Waiter() = default;
    virtual void resume(const IoExecutor& executor) = 0;
};

template <typename Handler>
class Event::HandlerWaiter final : public Event::Waiter {
public:
    explicit HandlerWaiter(Handler handler) : handler_(std::move(handler)) {}
    void resume(const IoExecutor& executor) override {
        boost::asio::post(executor, std::move(handler_));
    }

private:
    Handler handler_;
};

Event::Event(IoExecutor executor) : executor_(std::move(executor)) {}

Event::~Event() = default;

void Event::set() {
    std::unique_ptr<Waiter> waiter;
    const IoExecutor executor = executor_;
    {
        const std::lock_guard lock(mutex_);
        if (!waiter_) {
            set_ = true;
            return;
        }
        waiter = std::move(waiter_);
    }
    // Nothing of *this from here: the one that wakes up may destroy it.
    waiter->resume(executor);
}

Task<void> Event::wait() {
    auto initiate = [this](auto handler) {
        using Handler = decltype(handler);
        std::unique_ptr<Waiter> waiter =
            std::make_unique<HandlerWaiter<Handler>>(std::move(handler));
        bool ready = false;
        {
            const std::lock_guard lock(mutex_);
            ASSERT(!waiter_);
            ready = std::exchange(set_, false);
            if (!ready) waiter_ = std::move(waiter);
        }
        // NOLINTNEXTLINE(bugprone-use-after-move): it was not, where this is ready
        if (ready) waiter->resume(executor_);
    };
    constexpr boost::asio::use_awaitable_t<IoExecutor> kAwait;
    return boost::asio::async_initiate<const boost::asio::use_awaitable_t<IoExecutor>, void()>(
        std::move(initiate), kAwait);
}

Task<void> Event::wait_for(std::chrono::milliseconds limit) {
    bool ended = false;
    boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                      boost::asio::wait_traits<std::chrono::steady_clock>,
                                      IoExecutor>
        timer(executor_, limit);
    timer.async_wait([this, &ended](const boost::system::error_code&) {
        ended = true;
        set();
    });
    co_await wait();
    timer.cancel();
    // The timer's last word is on its way, and refers to this frame.
    while (!ended) co_await wait();
}

}  // namespace objstore
