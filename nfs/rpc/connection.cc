#include "nfs/rpc/connection.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <fmt/format.h>
#include <sys/socket.h>

namespace nfs {

namespace asio = boost::asio;
using boost::system::error_code;
using objstore::MutableBytes;

namespace {

constexpr std::size_t kSlotsMax = 64;                      // of one sendmsg
constexpr std::size_t kFlushBytes = 256 * objstore::kKiB;  // enough to keep a client busy with
constexpr int kReceivesMax = 16;  // in one turn, before other connections of the thread get theirs
constexpr std::chrono::milliseconds kMemoryRetry{10};
constexpr std::size_t kReserveStep = 256 * objstore::kKiB;  // so that it is not asked at each call

}  // namespace

void ConnectionCount::remove() {
    ASSERT(count_.load() > 0);
    // Under the lock, so that who waits is not on its way to sleep.
    const std::lock_guard lock(mutex_);
    if (count_.fetch_sub(1) == 1) none_.notify_all();
}

bool ConnectionCount::wait_for_none(std::chrono::milliseconds grace) {
    std::unique_lock lock(mutex_);
    return none_.wait_for(lock, grace, [this] { return count_.load() == 0; });
}

// A call with the workers. Comes back to the connection's thread to be let go there.
struct Connection::Pending {
    Record record;
    Dispatcher::Begun begun;
    std::size_t size_bytes = 0;  // of memory that the record keeps
    Gather reply;
};

Connection::Connection(Socket socket, const Peer& peer, ConnectionHost& host)
    : counted_(host.count),
      socket_(std::move(socket)),
      executor_(socket_.get_executor()),
      peer_(peer),
      host_(host),
      window_(host.blocks, host.limits.record_bytes_max),
      tick_timer_(executor_),
      memory_timer_(executor_) {}

Connection::~Connection() {
    if (reserved_bytes_ > 0) host_.memory.give_back(peer_.address, reserved_bytes_);
}

// Whatever is thrown in a handler costs this connection, not the thread.
template <typename Fn>
void Connection::guarded(Fn&& fn) {
    if (closed_) return;
    try {
        fn();
    } catch (const std::exception& e) {
        cut(e.what());
    }
}

void Connection::start() {
    error_code ignored;
    socket_.non_blocking(true, ignored);
    socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
    schedule_tick();
    read();
}

void Connection::finish() {
    if (closed_) return;
    finishing_ = true;
    proceed();
}

void Connection::close() {
    if (closed_) return;
    closed_ = true;
    error_code ignored;
    socket_.close(ignored);
    tick_timer_.cancel();
    memory_timer_.cancel();
}

void Connection::cut(std::string_view why) {
    if (closed_) return;
    using asio::ip::address_v6;
    const address_v6 address(std::bit_cast<address_v6::bytes_type>(peer_.address));
    const std::string client = address.to_string();
    host_.log.warn("nfs: connection cut client={} port={} why=\"{}\"", client, peer_.port, why);
    close();
}

bool Connection::at_limit() const {
    return calls_in_flight_ >= host_.limits.calls_in_flight_max ||
           call_bytes_ >= host_.limits.call_bytes_max ||
           reply_bytes() >= host_.limits.reply_bytes_max;
}

// Brings what is taken of the memory budget to what is held, and so much more. False: there is not
// enough.
bool Connection::reserve(std::size_t more_bytes) {
    const std::size_t held = reply_bytes() + call_bytes_ + window_.large_bytes() + more_bytes;
    const std::size_t free = host_.limits.free_bytes;
    const std::size_t wanted =
        held <= free ? 0 : (held - free + kReserveStep - 1) / kReserveStep * kReserveStep;
    if (wanted > reserved_bytes_) {
        no_memory_ = !host_.memory.try_take(peer_.address, wanted - reserved_bytes_);
        if (no_memory_) return false;
    } else if (wanted < reserved_bytes_) {
        host_.memory.give_back(peer_.address, reserved_bytes_ - wanted);
    }
    reserved_bytes_ = wanted;
    no_memory_ = false;
    return true;
}

// Where the next bytes go; empty while there is no memory for them.
MutableBytes Connection::space() {
    if (window_.wants_large() && !reserve(host_.blocks.large_bytes())) return {};
    return window_.space();
}

// Waits for more bytes, in a block of the pool only when the rest of a record is to come.
void Connection::read() {
    ASSERT(!reading_);
    window_.release_if_idle();
    const bool quiet = !window_.mid_record();
    const auto space = quiet ? MutableBytes(first_bytes_) : this->space();
    if (space.empty()) return wait_for_memory();
    reading_ = true;
    socket_.async_read_some(
        asio::buffer(space.data(), space.size()),
        [self = shared_from_this(), quiet, space](error_code error, std::size_t size_bytes) {
            self->reading_ = false;
            self->more_in_kernel_ = size_bytes == space.size();
            // A client that has said all it will may still wait for its replies.
            if (error == asio::error::eof) return self->guarded([&] { self->finish(); });
            if (error) return self->close();
            self->guarded([&] { self->on_read(quiet, size_bytes); });
        });
}

void Connection::on_read(bool was_quiet, std::size_t size_bytes) {
    if (was_quiet) {
        const auto space = window_.space();
        ASSERT(space.size() >= size_bytes);
        std::memcpy(space.data(), first_bytes_.data(), size_bytes);
    }
    window_.received(size_bytes);
    process();
    for (int i = 0; i < kReceivesMax && more_in_kernel_ && !stopped_at_limit_ && !closed_; ++i) {
        if (receive_now()) process();
    }
    proceed();
}

// Takes what has arrived meanwhile, without the way through the event loop.
bool Connection::receive_now() {
    const auto space = this->space();
    if (space.empty()) {
        more_in_kernel_ = false;  // for this turn
        return false;
    }
    const ssize_t got = ::recv(socket_.native_handle(), space.data(), space.size(), MSG_DONTWAIT);
    more_in_kernel_ = got == static_cast<ssize_t>(space.size());
    if (got <= 0) return false;  // an error or the end shows again at the next read
    window_.received(static_cast<std::size_t>(got));
    return true;
}

// Begins all calls that are there, as far as the limits let us. True: some.
bool Connection::process() {
    bool some = false;
    stopped_at_limit_ = false;
    while (!closed_ && !finishing_) {
        if (!held_) {
            auto record = window_.next();
            if (!record.ok()) cut(record.error().message());
            if (!record.ok() || !record->has_value()) return some;
            ++record_count_;
            held_ = std::move(*record);
        }
        if (at_limit() || !reserve(0) || !handle(*held_)) {
            stopped_at_limit_ = true;
            return some;
        }
        some = true;
        held_.reset();
        if (filling_.size() >= kFlushBytes) send_now();
    }
    return some;
}

// False: there is no room for the reply now.
bool Connection::handle(const Record& record) {
    using Verdict = Dispatcher::Verdict;
    auto begun = host_.dispatcher.begin(peer_, record.bytes, filling_, 0);
    if (begun.verdict == Verdict::no_room) {
        const bool others = reply_bytes() > 0;
        const bool fits = reply_bytes() + begun.reply_bytes <= host_.limits.reply_bytes_max;
        if ((others && !fits) || !reserve(begun.reply_bytes)) return false;
        begun = host_.dispatcher.begin(peer_, record.bytes, filling_, begun.reply_bytes);
    }
    if (begun.verdict == Verdict::cut) cut("not an RPC call");
    if (begun.verdict == Verdict::wait) give_to_workers(record, begun);
    return true;
}

void Connection::give_to_workers(Record record, const Dispatcher::Begun& begun) {
    // All of a large block stays for it. Of small ones no more are out than calls with workers.
    const bool large = record.block->size() > host_.blocks.small_bytes();
    const std::size_t size_bytes = large ? record.block->size() : record.bytes.size();
    // Shared: a job of the pool must be copyable.
    auto pending = std::make_shared<Pending>(Pending{std::move(record), begun, size_bytes, {}});
    ++calls_in_flight_;
    call_bytes_ += size_bytes;
    promised_bytes_ += begun.reply_bytes;
    auto job = [self = shared_from_this(), pending] { self->carry_out(pending); };
    if (host_.workers.post(std::move(job))) return;
    --calls_in_flight_;
    call_bytes_ -= size_bytes;
    promised_bytes_ -= begun.reply_bytes;
    host_.dispatcher.refuse(begun, filling_);
}

// On a worker. Only the first of several replies wakes the connection's thread.
void Connection::carry_out(const std::shared_ptr<Pending>& pending) {
    host_.dispatcher.finish(peer_, pending->begun, pending->reply);
    const bool first = done_.with([&](auto& done) {
        done.push_back(pending);
        return done.size() == 1;
    });
    if (first) asio::post(executor_, [self = shared_from_this()] { self->collect(); });
}

void Connection::collect() {
    auto done = done_.with([](auto& list) { return std::exchange(list, {}); });
    ASSERT(calls_in_flight_ >= done.size());
    calls_in_flight_ -= done.size();
    for (const auto& pending : done) {
        call_bytes_ -= pending->size_bytes;
        promised_bytes_ -= pending->begun.reply_bytes;
    }
    guarded([&] {
        for (const auto& pending : done) filling_.append(pending->reply);
        done.clear();
        proceed();
    });
}

void Connection::send_now() {
    while (!waiting_writable_ && !closed_) {
        if (sending_.empty()) std::swap(sending_, filling_);
        if (sending_.empty()) return;
        std::array<iovec, kSlotsMax> slots;
        msghdr message{};
        message.msg_iov = slots.data();
        message.msg_iovlen = sending_.next(slots);
        const ssize_t sent =
            ::sendmsg(socket_.native_handle(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent >= 0) {
            sent_bytes_ += static_cast<std::uint64_t>(sent);
            sending_.sent(static_cast<std::size_t>(sent));
            continue;
        }
        if (errno == EINTR) continue;
        if (errno != EAGAIN && errno != EWOULDBLOCK) return close();
        waiting_writable_ = true;
        socket_.async_wait(Socket::wait_write, [self = shared_from_this()](error_code error) {
            self->waiting_writable_ = false;
            if (error) return self->close();
            self->guarded([&] { self->proceed(); });
        });
    }
}

// Whenever something has changed: sends, begins what the limits held back, waits for what is next.
void Connection::proceed() {
    send_now();
    no_memory_ = false;
    while (stopped_at_limit_ && !closed_ && process()) send_now();
    if (closed_) return;
    if (finishing_) {
        if (calls_in_flight_ == 0 && queued_bytes() == 0) close();
        return;
    }
    const bool starved = no_memory_;
    if (!reserve(0) || starved) return wait_for_memory();
    if (!stopped_at_limit_ && !at_limit() && !reading_) read();
}

// Sent replies and ended calls wake us by themselves; memory that other connections held does not.
void Connection::wait_for_memory() {
    if (waiting_memory_) return;
    waiting_memory_ = true;
    memory_timer_.expires_after(kMemoryRetry);
    memory_timer_.async_wait([self = shared_from_this()](error_code) {
        self->waiting_memory_ = false;
        self->guarded([&] { self->proceed(); });
    });
}

bool Connection::Watch::exceeds(std::uint64_t now,
                                bool owed,
                                std::chrono::milliseconds tick,
                                std::chrono::milliseconds max) {
    waited = owed && now == last ? waited + tick : std::chrono::milliseconds(0);
    last = now;
    return waited >= max;
}

void Connection::schedule_tick() {
    tick_timer_.expires_after(host_.limits.tick);
    tick_timer_.async_wait([self = shared_from_this()](error_code error) {
        if (!error) self->guarded([&] { self->on_tick(); });
    });
}

void Connection::on_tick() {
    const ConnectionLimits& limits = host_.limits;
    // Who keeps memory that others could use has less time.
    const bool scarce = reserved_bytes_ > 0 && host_.memory.is_scarce();
    const bool owes_record = reading_ && window_.mid_record();
    const auto record_max = scarce ? limits.tick : limits.record_max;
    if (record_watch_.exceeds(record_count_, owes_record, limits.tick, record_max)) {
        return cut("a record took too long to arrive");
    }
    const auto stall_max = scarce ? limits.tick : limits.stall_max;
    if (stall_watch_.exceeds(sent_bytes_, queued_bytes() > 0, limits.tick, stall_max)) {
        return cut("replies were not taken");
    }
    const bool idle = calls_in_flight_ == 0 && queued_bytes() == 0;
    if (idle) {
        filling_.shrink();
        sending_.shrink();
    }
    if (idle_watch_.exceeds(record_count_, idle, limits.tick, limits.idle_max)) return close();
    schedule_tick();
}

}  // namespace nfs
