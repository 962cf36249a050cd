#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "objstore/meta/meta_store.h"
#include "objstore/volume/volume_store.h"

namespace objstore {

// Small bytes of a transaction that are yet to be placed: into the content of `txn.ops[op]`.
struct Placement {
    std::size_t op = 0;
    Owner owner;  // its offset is the logical offset of the bytes
    Bytes bytes;  // valid until the commit is done (or refused)
};

// Group commit of small content. A lone one goes into the namespace transaction itself, for one
// sync round; what comes while stripes are being written shares the next stripe.
// Durability: as of MetaStore::commit, data first. Threads: any. Both stores must outlive it.
class Committer final {
public:
    struct Options {
        std::size_t inline_batch_bytes = 256 * kKiB;      // in flight at once
        std::uint64_t inline_waiting_bytes = 256 * kMiB;  // for the mover, in all
        std::size_t batch_bytes_max = 4 * kMiB;
        std::size_t queue_max = 4096;  // commits in the queue
    };
    Committer(Options options, MetaStore& meta, VolumeStore& volumes, Pins& pins);
    ~Committer();  // stops

    // Stores the bytes and commits, without holding up the caller. `done` is called once, in the
    // writer's thread or the committer's, or from here if it is refused.
    void submit(Txn txn, std::vector<Placement> placements, Completion done);
    // submit and wait.
    TxnResult commit(Txn txn, std::vector<Placement> placements);
    // Finishes what is queued, refuses what comes. Safe to repeat.
    void stop();

private:
    struct Job;
    using JobPtr = std::shared_ptr<Job>;

    bool place_inline(Job& job, std::size_t size_bytes);
    bool enqueue(const JobPtr& job);
    void run();
    std::vector<JobPtr> take_batch(std::unique_lock<std::mutex>& lock);
    void store_batch(const std::vector<JobPtr>& batch);
    void name(JobPtr job, std::size_t inline_bytes);

    const Options options_;
    MetaStore& meta_;
    VolumeStore& volumes_;
    Pins& pins_;
    std::atomic<std::size_t> inline_in_flight_{0};
    std::mutex mutex_;
    std::condition_variable ready_;
    std::vector<JobPtr> queue_;
    bool storing_ = false;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace objstore
