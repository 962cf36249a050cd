#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "objstore/meta/durable.h"
#include "objstore/meta/meta_store.h"
#include "objstore/meta/overlay.h"
#include "objstore/meta/reader.h"

namespace spdlog {
class logger;
}

namespace objstore {

struct WriterOptions {
    std::size_t queue_txns_max = 4096;
    std::size_t queue_bytes_max = 64 * kMiB;
    std::size_t batch_txns_max = 1000;
    std::size_t batch_bytes_max = kMiB;
    // A batch that has touched so many rows is committed before it goes on: it has to be in memory,
    // and others wait for it.
    std::size_t batch_rows_max = 10'000;
    // How long a commit that need not be durable may wait for one that is. 0: all are durable.
    std::chrono::milliseconds sync_interval{1000};
    int checkpoint_pages = 2000;
    // Past so many the writer waits for readers and starts the log anew.
    int wal_pages_max = 50'000;
};

// The one thread that writes, and the only read-write connection: it takes what is queued as a
// batch, carries it out in memory, writes the changed rows in one transaction, commits, updates the
// caches, answers all in order, and checkpoints between batches.
// Durability: a batch with a durable Txn is synced before it is visible; another is visible at once
// and synced within `sync_interval`. After a failed commit the database is closed, recovered and
// opened again before the next batch.
// Threads: any. All Deps must outlive it.
class Writer final {
public:
    struct Deps {
        Connection::Options connection;
        std::string deployment;  // see SchemaOptions
        ReaderPool& readers;
        Caches& caches;
        Resident& resident;
        Holds& holds;
        const RecentDirectories& recent;
        IdSource& ids;
        Published& published;
        DurableCommits& durable;
        const Clock& clock;
        spdlog::logger& log;
    };
    Writer(WriterOptions options, Deps deps);
    ~Writer();

    // Opens the database, recovering it, and starts the thread.
    // `create`: a new one when there is none.
    Status start(bool create);
    // `done` is called from the writer's thread, but from here when the Txn is refused.
    void submit(Txn txn, Completion done);
    // Refuses new Txns, finishes queued ones, syncs, checkpoints, closes. Safe to repeat.
    Status stop();

private:
    struct Item {
        Txn txn;
        Completion done;
        std::size_t bytes = 0;
    };
    struct Queue {
        std::deque<Item> items;
        std::size_t bytes = 0;
        bool waiting = false;  // the writer is
        bool open = false;     // takes Txns
    };
    struct Session {
        std::unique_ptr<Connection> connection;
        std::unique_ptr<Overlay> overlay;
    };
    enum class Wake { batch, sync, stop };

    void run();
    Wake wait_for_work(std::vector<Item>& batch);
    void take_batch(std::vector<Item>& batch);
    Status open_session(bool create);
    void close_session();
    bool reopen();
    void process(std::vector<Item> batch, bool sync);
    void run_all(std::span<Item> items, bool sync);
    std::size_t run_some(std::span<Item> items, bool sync);
    Status run_txns(std::span<Item> items, bool durable, std::vector<TxnResult>& results);
    bool is_durable(std::span<const Item> items, bool sync) const;
    Status begin(bool durable);
    Status roll_back();
    TxnResult run_txn(Txn& txn);
    Status commit(bool durable);
    Status finish(Status status, bool durable);
    Status after_failed_commit(Status status);
    void checkpoint();
    Status close_for_good();

    const WriterOptions options_;
    const Deps deps_;

    // Not Guarded: waited for.
    std::mutex mutex_;
    std::condition_variable ready_;
    Queue queue_;
    std::mutex stop_mutex_;  // held while joining; before mutex_
    std::thread thread_;

    // The writer's thread only.
    Session session_;
    StateRow state_;               // as of the last commit
    std::uint64_t recovered_ = 0;  // sequence found when the database was opened
    bool in_doubt_ = false;        // the last commit failed: may have happened
    bool cannot_open_ = false;     // and that was logged
    bool read_only_ = false;       // too few disks are left, until the next start
    bool durable_mode_ = false;    // PRAGMA synchronous
    bool unsynced_ = false;        // some commit may be lost by a power cut
    std::chrono::nanoseconds unsynced_since_{};
    int checkpointed_at_ = 0;  // pages of the log at the last attempt
    Status stop_status_;
};

// About how many bytes a Txn holds in memory.
std::size_t weight_of(const Txn& txn);

}  // namespace objstore
