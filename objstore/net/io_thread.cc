#include "objstore/net/io_thread.h"

#include <boost/asio/post.hpp>

#include "objstore/base/assert.h"
#include "objstore/base/named_thread.h"

namespace objstore {

IoThread::IoThread(std::chrono::milliseconds tick)
    : tick_(tick), work_(context_.get_executor()), timer_(context_.get_executor()) {
    ASSERT(tick.count() > 0);
}

IoThread::~IoThread() {
    stop();
}

void IoThread::start() {
    ASSERT(!thread_.joinable());
    now_ = steady_now();
    thread_ = named_thread("net-io", [this] { context_.run(); });
}

void IoThread::stop() {
    if (!thread_.joinable()) return;
    boost::asio::post(context_, [this] { timer_.cancel(); });
    work_.reset();
    thread_.join();
    ASSERT(streams_.empty());
}

void IoThread::begin_stop() {
    boost::asio::post(context_, [this] {
        stopping_ = true;
        for (Stream* stream : streams_) {
            if (stream->idle_) stream->cut();
        }
    });
}

void IoThread::cut_all() {
    boost::asio::post(context_, [this] {
        stopping_ = cutting_ = true;
        for (Stream* stream : streams_) stream->cut();
    });
}

void IoThread::cut_longest_idle() {
    boost::asio::post(context_, [this] {
        if (Stream* const stream = longest_idle()) stream->cut();
        note_idle();
    });
}

Stream* IoThread::longest_idle() const {
    Stream* found = nullptr;
    for (Stream* stream : streams_) {
        if (!stream->idle_ || stream->cut_) continue;
        if (found == nullptr || stream->idle_since_ < found->idle_since_) found = stream;
    }
    return found;
}

void IoThread::note_idle() {
    const Stream* const stream = longest_idle();
    const auto since = stream != nullptr ? stream->idle_since_ : kNoneIdle;
    idle_since_.store(since.count(), std::memory_order_relaxed);
}

std::chrono::nanoseconds IoThread::steady_now() {
    return std::chrono::steady_clock::now().time_since_epoch();
}

IoThread::Streams::iterator IoThread::add(Stream* stream) {
    stream_count_.fetch_add(1, std::memory_order_relaxed);
    const auto place = streams_.insert(streams_.end(), stream);
    if (!ticking_) {
        // The clock stood while nobody looked.
        now_ = steady_now();
        arm_tick();
    }
    return place;
}

void IoThread::remove(Streams::iterator place) {
    streams_.erase(place);
    stream_count_.fetch_sub(1, std::memory_order_relaxed);
}

void IoThread::arm_tick() {
    ticking_ = true;
    timer_.expires_after(tick_);
    timer_.async_wait([this](const boost::system::error_code& error) {
        ticking_ = false;
        if (!error) on_tick();
    });
}

void IoThread::on_tick() {
    now_ = steady_now();
    for (Stream* stream : streams_) {
        if (stream->deadline_ > now_) continue;
        stream->expired_ = true;
        stream->cancel();
    }
    note_idle();
    if (!streams_.empty()) arm_tick();
}

}  // namespace objstore
