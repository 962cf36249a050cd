#pragma once

#include <condition_variable>
#include <deque>
#include <list>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "fs/vfs/node_table.h"
#include "fs/vfs/write_budget.h"
#include "objstore/base/clock.h"
#include "objstore/engine/engine.h"

namespace spdlog {
class logger;
}

namespace fs {

// Gathers written bytes in memory and stores them in long runs: when a file is flushed, when enough
// wait, and about a second after the first. Reads through it see the bytes that wait.
// Durability: after `flush` returned ok, every byte written since the failures it was given is
// durable. Bytes of a failed flush are dropped, the failure is counted in the node and in
// `failures`; from then on writers store their own bytes, until that succeeds once.
// Threads: any. Idle, it wakes nobody. What it is given must outlive it.
class WriteBack final {
public:
    struct Options {
        std::size_t file_bytes_max = 32 * objstore::kMiB;  // of one file; then its writer flushes
        std::size_t total_bytes_max = 128 * objstore::kMiB;
        std::size_t flush_bytes = 8 * objstore::kMiB;  // of one file: the flusher begins
        std::size_t runs_max = 4096;                   // likewise
        std::chrono::milliseconds flush_after{1000};
        std::size_t threads = 2;
    };
    struct Deps {
        objstore::Engine& engine;
        NodeTable& nodes;
        const objstore::Clock& clock;
        spdlog::logger& log;
    };
    WriteBack(Options options, Deps deps);
    ~WriteBack();  // stops

    struct Written {
        std::uint64_t offset = 0;
        // WCC: the size before and after, atomic with the write, and the times if bytes waited.
        std::uint64_t size_before = 0;
        std::uint64_t size_after = 0;
        UnixNanos written_before = 0;  // 0: nothing waited
        UnixNanos written_after = 0;
        std::uint64_t failures = 0;  // of the node, when the first byte was put down: for `flush`
    };
    struct WriteArgs {
        std::uint64_t offset = 0;
        bool append = false;  // at the true end instead
        Door door = Door::fuse;
    };
    // Copies. Waits while too many bytes wait. invalid_argument (Why::too_large); others: storing
    // failed, and the bytes are lost.
    Result<Written> write(const NodeRef& node, const WriteArgs& args, Bytes bytes);
    Result<std::size_t> read(Node& node, std::uint64_t offset, MutableBytes out);
    std::optional<std::size_t> try_read(Node& node, std::uint64_t offset, MutableBytes out);
    // What the bytes that wait do to the attributes.
    void overlay(Node& node, Attributes& attributes);

    // Stores what waits; waits for a flush that runs. An error: what waited is lost, in whosever
    // flush. Cost: one sync round, nothing when clean.
    Status flush(Node& node);
    // The same; an error also when any flush has failed since there were `failures` in the node.
    Status flush(Node& node, std::uint64_t failures);
    // Logs each failure, returns the first.
    Status flush_all();

    // Changes of stored content, in step with the bytes that wait. Those of very many extents go
    // in several transactions, so that others' come in between: who looks meanwhile, or after a
    // crash, may see a part of the change, a truncation's from the end.
    Result<objstore::OpResult> truncate(Node& node,
                                        objstore::TruncateOp op,
                                        objstore::CallOptions options);
    Result<objstore::OpResult> punch(Node& node,
                                     objstore::PunchOp op,
                                     objstore::CallOptions options);
    // Clones and extensions: a WriteOp that brings no bytes.
    Result<objstore::OpResult> share(Node& target,
                                     objstore::WriteOp op,
                                     objstore::CallOptions options);

    std::uint64_t failures() const { return failures_; }
    // Flushes everything, ends the threads. Safe to repeat; what is written later is flushed
    // by its writer.
    Status stop();

private:
    // A node with bytes that wait, until they are stored.
    struct Due {
        std::chrono::nanoseconds at{0};
        NodeRef node;
        bool busy = false;  // a flusher has it
    };
    using Queue = std::list<Due>;

    Status learn_size(Node& node);
    Result<Written> write_some(const NodeRef& node, const WriteArgs& args, Bytes bytes);
    void take_room(std::size_t bytes);
    bool queue_flush(const NodeRef& node, bool urgent);
    void run();
    Queue::iterator find_due();
    void flush_urgent(std::unique_lock<std::mutex>& lock);
    void flush_due(std::unique_lock<std::mutex>& lock, Queue::iterator due);
    void flush_in_background(Node& node);
    void log_failure(const Node& node, const Status& status);
    Status flush_locked(Node& node);
    Result<objstore::OpResult> cut(Node& node,
                                   const objstore::TruncateOp& op,
                                   objstore::CallOptions options);
    Status store(Node& node, objstore::WriteOp op, objstore::CallOptions options);
    Status store_run(const objstore::WritePiece& run,
                     objstore::WriteOp op,
                     objstore::CallOptions options);
    void land(Node& node, Status outcome);

    const Options options_;
    const Deps deps_;
    WriteBudget budget_;
    std::atomic<std::uint64_t> failures_{0};
    // The last flush failed. Were writers to go on filling memory, the loss would show long after
    // the write, and an NFS client that sends the bytes again would never hear why they got lost.
    std::atomic<bool> in_trouble_{false};
    std::mutex mutex_;  // of what follows
    std::condition_variable wake_;
    Queue queue_;                 // in order of time
    std::deque<NodeRef> urgent_;  // at once
    std::size_t pressed_ = 0;     // so many wait for room: whatever is queued is due
    bool stopping_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace fs
