#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <spdlog/logger.h>

#include "nfs/rpc/dispatcher.h"
#include "nfs/rpc/memory_budget.h"
#include "nfs/rpc/record.h"
#include "objstore/base/executor.h"

namespace nfs {

struct ConnectionLimits {
    std::size_t record_bytes_max = objstore::kMiB + 4 * objstore::kKiB;
    std::size_t calls_in_flight_max = 64;              // with workers
    std::size_t call_bytes_max = 16 * objstore::kMiB;  // of those
    std::size_t reply_bytes_max = 8 * objstore::kMiB;  // of theirs, or not taken yet
    std::size_t free_bytes = 128 * objstore::kKiB;     // of the two, outside the memory budget
    std::chrono::milliseconds idle_max{std::chrono::minutes(10)};    // without any call
    std::chrono::milliseconds record_max{std::chrono::seconds(60)};  // to send one record
    std::chrono::milliseconds stall_max{std::chrono::seconds(60)};   // to take any byte of replies
    std::chrono::milliseconds tick{std::chrono::seconds(10)};        // how often that is looked at
};

// How many connections there are. Threads: any.
class ConnectionCount final {
public:
    // Counts one connection for as long as it lives.
    class Member final {
    public:
        explicit Member(ConnectionCount& count) : count_(count) { count_.count_.fetch_add(1); }
        ~Member() { count_.remove(); }
        Member(const Member&) = delete;
        Member& operator=(const Member&) = delete;

    private:
        ConnectionCount& count_;
    };

    std::size_t get() const { return count_.load(); }
    // False when some are left after `grace`.
    bool wait_for_none(std::chrono::milliseconds grace);

private:
    void remove();

    std::atomic<std::size_t> count_{0};
    std::mutex mutex_;
    std::condition_variable none_;
};

// What all connections of a server share; outlives them.
struct ConnectionHost {
    Dispatcher& dispatcher;
    BlockPool& blocks;
    MemoryBudget& memory;
    objstore::ThreadPool& workers;
    spdlog::logger& log;
    ConnectionCount& count;
    ConnectionLimits limits;
};

// One client's TCP stream of calls and replies. All calls that have arrived are begun before
// anything is sent: what memory can answer is answered in place, the rest goes to the workers, and
// replies go out together, in whatever order they are ready. At its limits it stops reading, so a
// client that does not take its replies is held back, then cut.
//
// Each may always hold a little, so small calls are answered whatever others do. For what is large,
// a record or the reply that a call asks for, it takes its part of the memory budget first, and
// waits when there is none.
//
// Shared: the handlers of its socket and the workers that carry out its calls hold it, whoever ends
// last. Threads: everything runs on the socket's executor, which must be serial.
class Connection final : public std::enable_shared_from_this<Connection> {
public:
    using Socket = boost::asio::ip::tcp::socket;

    Connection(Socket socket, const Peer& peer, ConnectionHost& host);
    ~Connection();

    void start();
    // Begins no more calls, sends what is owed, then closes.
    void finish();
    void close();
    bool closed() const { return closed_; }

private:
    struct Pending;

    void read();
    void on_read(bool was_quiet, std::size_t size_bytes);
    bool receive_now();
    objstore::MutableBytes space();
    bool process();
    bool handle(const Record& record);
    void give_to_workers(Record record, const Dispatcher::Begun& begun);
    void carry_out(const std::shared_ptr<Pending>& pending);
    void collect();
    void send_now();
    void proceed();
    void wait_for_memory();
    void schedule_tick();
    void on_tick();
    bool at_limit() const;
    std::size_t queued_bytes() const { return filling_.size() + sending_.size(); }
    std::size_t reply_bytes() const { return queued_bytes() + promised_bytes_; }
    bool reserve(std::size_t more_bytes);
    void cut(std::string_view why);
    template <typename Fn>
    void guarded(Fn&& fn);

    // Since when something that the other side owes us has not changed.
    struct Watch {
        std::uint64_t last = 0;
        std::chrono::milliseconds waited{0};
        bool exceeds(std::uint64_t now,
                     bool owed,
                     std::chrono::milliseconds tick,
                     std::chrono::milliseconds max);
    };

    // First, so last to go: none counted means that no block is lent to a connection either.
    const ConnectionCount::Member counted_;
    Socket socket_;
    const boost::asio::any_io_executor executor_;
    const Peer peer_;
    ConnectionHost& host_;
    RecordWindow window_;
    // Where a quiet connection waits for its next call, so that it holds no block of the pool.
    std::array<std::byte, 8 * objstore::kKiB> first_bytes_;
    Gather filling_;
    Gather sending_;
    objstore::Guarded<std::vector<std::shared_ptr<Pending>>> done_;
    boost::asio::steady_timer tick_timer_;
    boost::asio::steady_timer memory_timer_;
    std::size_t calls_in_flight_ = 0;
    std::size_t call_bytes_ = 0;      // of those, in memory
    std::size_t promised_bytes_ = 0;  // that their replies may have
    std::size_t reserved_bytes_ = 0;  // of the memory budget
    std::optional<Record> held_;      // waits for memory for its reply
    bool reading_ = false;
    bool more_in_kernel_ = false;    // the last receive filled all the room it had
    bool stopped_at_limit_ = false;  // complete records may lie in the window
    bool no_memory_ = false;         // the budget had none the last time
    bool waiting_writable_ = false;
    bool waiting_memory_ = false;
    bool finishing_ = false;
    bool closed_ = false;
    std::uint64_t record_count_ = 0;
    std::uint64_t sent_bytes_ = 0;
    Watch idle_watch_;
    Watch record_watch_;
    Watch stall_watch_;
};

}  // namespace nfs
