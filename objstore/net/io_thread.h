#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <list>
#include <optional>
#include <thread>

#include <boost/asio/buffer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/steady_timer.hpp>

#include "objstore/net/stream.h"
#include "objstore/net/task.h"

namespace objstore {

// One thread, its io_context and its streams. A stream's deadline is a number that a tick looks at
// a few times a second: a timer for each read would cost more than the read's own bookkeeping.
class IoThread final {
public:
    explicit IoThread(std::chrono::milliseconds tick);
    ~IoThread();  // stops
    IoThread(const IoThread&) = delete;
    IoThread& operator=(const IoThread&) = delete;

    void start();
    // Joins the thread. There must be no streams and no running jobs of theirs any more.
    void stop();

    boost::asio::io_context& context() { return context_; }
    std::size_t streams() const { return stream_count_.load(std::memory_order_relaxed); }

    // Closes idle streams at once and those that become idle as they do. Threads: any.
    void begin_stop();
    // Cuts every stream, whatever it does. Threads: any.
    void cut_all();
    // Since when the stream that has been idle longest is, as of the last tick. Threads: any.
    std::chrono::nanoseconds idle_since() const {
        return std::chrono::nanoseconds(idle_since_.load());
    }
    static constexpr auto kNoneIdle = std::chrono::nanoseconds::max();
    // Cuts that stream, if there is one. Threads: any.
    void cut_longest_idle();

private:
    friend class Stream;
    using Streams = std::list<Stream*>;
    using Timer =
        boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                          boost::asio::wait_traits<std::chrono::steady_clock>,
                                          IoExecutor>;
    static std::chrono::nanoseconds steady_now();
    Stream* longest_idle() const;
    Streams::iterator add(Stream* stream);
    void remove(Streams::iterator place);
    void arm_tick();
    void on_tick();
    void note_idle();

    // What Asio hands to one sendmsg. Here, for Asio keeps no memory for frames of coroutines that
    // are over 1,020 bytes long.
    static constexpr std::size_t kPiecesPerWrite = 64;

    const std::chrono::milliseconds tick_;
    boost::asio::io_context context_{1};
    boost::asio::executor_work_guard<IoExecutor> work_;
    Timer timer_;
    bool ticking_ = false;  // a tick is due; none while there are no streams
    bool stopping_ = false;
    bool cutting_ = false;
    std::chrono::nanoseconds now_{0};  // as of the last tick
    Streams streams_;
    std::array<boost::asio::const_buffer, kPiecesPerWrite> write_scratch_;
    std::atomic<std::size_t> stream_count_{0};
    std::atomic<std::int64_t> idle_since_{kNoneIdle.count()};
    std::thread thread_;
};

}  // namespace objstore
