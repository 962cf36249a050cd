#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>

#include "fs/vfs/dirty_ranges.h"
#include "fs/vfs/types.h"
#include "objstore/base/guarded.h"

namespace fs {

// What is kept in memory of an inode in use: open, with bytes that wait, or lately used by NFS.
// There is one at most of each inode, so all doors see the same waiting bytes and size.
struct Node {
    explicit Node(InodeId id) : inode(id) {}

    struct State {
        DirtyRanges active;  // gathers
        DirtyRanges flight;  // being stored: only who holds `flush_mutex` changes it
        bool size_known = false;
        std::uint64_t size = 0;      // with the bytes that wait
        UnixNanos written_at = 0;    // of the last byte that waits: mtime and ctime until stored
        bool foreign = false;        // bytes came by another door than the mount
        bool queued = false;         // for the flusher
        bool urgent = false;         // likewise, at once
        std::uint64_t failures = 0;  // flushes that lost what they carried
        Status failure;              // the last one
        std::uint64_t told = 0;      // so many of them NFS has heard of, which has no open files

        std::size_t waiting_bytes() const { return active.size_bytes() + flight.size_bytes(); }
    };

    const InodeId inode;
    objstore::Guarded<State> state;
    // Held across disk: one flush, truncation or other change of stored content at a time.
    // Order: flush_mutex, then state.
    std::mutex flush_mutex;
    std::atomic<bool> dirty{false};  // bytes wait; set and cleared with `state` held
    std::atomic<bool> kept{false};   // NFS used it lately: KeepAlive has a reference
    std::atomic<std::chrono::nanoseconds> last_use{std::chrono::nanoseconds(0)};
    std::size_t users = 0;  // of the NodeTable
};

}  // namespace fs
