#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "fs/fuse/kernel_inodes.h"
#include "fs/fuse/reply_gate.h"
#include "objstore/engine/engine.h"

namespace spdlog {
class logger;
}

namespace fs {

// How the kernel is told to forget. Errors are negative errnos, -ENOENT where it knows nothing.
// Threads: one at a time; may block while a request on the same directory is unanswered.
class KernelCache {
public:
    virtual ~KernelCache() = default;
    virtual int forget_entry(InodeId parent, const std::string& name) = 0;
    virtual int forget_attributes(InodeId inode) = 0;
    virtual int forget_content(InodeId inode) = 0;
};

// Tells the kernel of a mount what other doors changed, before they answer (semantics, section 1).
// Its thread serves no requests and holds no lock, since the kernel takes the parent directory's,
// which a request of the mount may hold until it is answered. Whoever waits for it waits a second
// at most, and not at all while it serves a request of the mount itself.
// Threads: any. What it is given must outlive it.
class Invalidator final : public objstore::ChangeListener {
public:
    struct Options {
        std::chrono::milliseconds wait_max{1000};
        std::chrono::seconds distrust{10};  // of a directory whose change could not be told in time
        std::size_t queue_max = 65536;
    };
    struct Deps {
        KernelInodes& inodes;
        ReplyGate& gate;
        objstore::Namespace& names;
        const objstore::Clock& clock;
        spdlog::logger& log;
    };
    struct Stats {
        std::uint64_t told = 0;        // notifications
        std::uint64_t timed_out = 0;   // changes answered before the kernel knew
        std::uint64_t overflowed = 0;  // changes that found the queue full
    };
    Invalidator(Options options, Deps deps);
    ~Invalidator() override;  // stops

    // `cache` must outlive `stop`.
    void start(KernelCache& cache);
    // Ends what waits. Safe to repeat.
    void stop();

    void changed(std::span<const objstore::Change> changes, Door door) override;
    // Tells the kernel soon, without waiting.
    void tell_later(objstore::Change change);
    // Whether entries of the directory may be cached now.
    bool trusts(InodeId directory);
    Stats stats() const;

    // While one lives, this thread serves a request of the mount.
    class Serving {
    public:
        Serving();
        ~Serving();
        Serving(const Serving&) = delete;
        Serving& operator=(const Serving&) = delete;
    };

private:
    using Changes = std::vector<objstore::Change>;

    // Where changes found the queue full, all that the kernel has of these is forgotten: of inodes
    // that it knows, so no more than it has memory for.
    struct Overflow {
        std::set<InodeId> inodes;       // their attributes and content
        std::set<InodeId> directories;  // the names in them

        bool empty() const { return inodes.empty() && directories.empty(); }
        void add(const objstore::Change& change);
    };

    bool known(const objstore::Change& change);
    std::uint64_t enqueue(Changes changes);
    void run();
    void tell_all(const Changes& changes);
    void tell_overflow(Overflow& overflow);
    Status tell_names(InodeId directory);
    void tell(const objstore::Change& change);
    int tell_inode(const objstore::Change& change);
    void distrust(const Changes& changes);

    const Options options_;
    const Deps deps_;
    KernelCache* cache_ = nullptr;

    mutable std::mutex mutex_;  // of what follows
    std::condition_variable wake_;
    std::condition_variable told_;
    Changes queue_;
    Overflow overflow_;
    std::uint64_t queued_ = 0;  // tickets: changes ever put into the queue ...
    std::uint64_t done_ = 0;    // ... and told
    bool running_ = false;
    Stats stats_;
    std::map<InodeId, std::chrono::nanoseconds> distrusted_;
    std::atomic<bool> distrusts_{false};
    std::thread thread_;
};

}  // namespace fs
