#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "objstore/base/status.h"
#include "objstore/meta/ops.h"

namespace objstore {

// Operations that happen together or not at all.
struct Txn {
    std::vector<Op> ops;
    bool durable = true;  // false: answer when visible; durable with the next that is
};

struct TxnResult {
    Status status;                  // of the whole; on an error nothing happened, except …
    std::vector<OpResult> results;  // … one a finished op (on an error: up to the failing one)
    std::vector<Change> changes;
    std::uint64_t sequence = 0;  // of the commit that it was part of; more with every commit
};
using Completion = std::function<void(TxnResult&&)>;  // must be quick, must not submit and wait

struct ListQuery {
    InodeId parent = 0;
    std::string from;  // entry name; "" from the start
    bool from_inclusive = true;
    std::string prefix;  // only entry names that begin so
    std::size_t limit = 1000;
};

// What everybody may ask of the namespace: reads, answered from memory where possible, else by a
// read transaction, and holds. Threads: any.
class Namespace {
public:
    virtual ~Namespace() = default;

    virtual Result<InodePtr> getattr(InodeId inode) = 0;  // not_found (Why::stale)
    // `name` as stored: with trailing '/' for directories.
    virtual Result<EntryWithInode> lookup(InodeId parent, std::string_view name) = 0;
    // Memory only. Null: not known without a read. Outer value with null inode: known absent.
    virtual InodePtr cached_inode(InodeId inode) = 0;
    virtual std::optional<EntryWithInode> cached_lookup(InodeId parent, std::string_view name) = 0;
    // In name order.
    virtual Result<std::vector<EntryWithInode>> list(const ListQuery& query) = 0;
    // In cookie order, from the first cookie above `cookie`; hidden names left out.
    virtual Result<std::vector<EntryWithInode>> read_directory(InodeId parent,
                                                               std::uint64_t cookie,
                                                               std::size_t limit) = 0;
    // The inode and its extents that touch [from, to), in order and whole, with the bytes of those
    // that are inline, all from one snapshot.
    struct ContentMap {
        InodePtr inode;
        std::vector<Extent> extents;
        std::vector<std::shared_ptr<const std::string>> inlines;  // parallel; null for stripes
    };
    virtual Result<ContentMap> content(InodeId inode, std::uint64_t from, std::uint64_t to) = 0;
    // The same of memory only. Nothing: not known without a read, or some of it is inline.
    virtual std::optional<ContentMap> cached_content(InodeId inode,
                                                     std::uint64_t from,
                                                     std::uint64_t to) = 0;
    // The inode and the first `limit` of its extents that end behind `from`, without bytes; one
    // seek in an index, however far the next one is.
    virtual Result<ContentMap> extents(InodeId inode, std::uint64_t from, std::size_t limit) = 0;
    virtual Result<std::vector<BucketRow>> buckets() = 0;
    virtual Result<BucketRow> bucket(std::string_view name) = 0;  // not_found/no_bucket
    virtual Result<BucketRow> bucket_by_inode(InodeId inode) = 0;
    virtual Result<UploadRow> upload(std::uint64_t id) = 0;  // not_found/no_upload
    // Uploads of a bucket ordered by (key, initiated, id), after (key, id).
    virtual Result<std::vector<UploadRow>> uploads(InodeId bucket,
                                                   std::string_view key_after,
                                                   std::uint64_t id_after,
                                                   std::size_t limit) = 0;
    virtual Result<std::vector<PartRow>> parts(std::uint64_t upload,
                                               std::uint32_t after,
                                               std::size_t limit) = 0;
    // The list of an object's parts. not_found (Why::stale): it has none, or none any more.
    virtual Result<std::vector<ObjectPart>> object_parts(InodeId inode) = 0;
    virtual Result<std::string> xattr(InodeId inode, std::string_view name) = 0;
    virtual Result<std::vector<XattrRow>> xattrs(InodeId inode) = 0;
    virtual Result<std::vector<InlineRow>> inline_rows(std::uint64_t id_after,
                                                       std::size_t limit) = 0;
    virtual Result<std::vector<OrphanRow>> orphans(std::size_t limit) = 0;
    virtual Result<std::vector<VolumeRow>> volumes() = 0;
    virtual Result<std::string> setting(std::string_view name) = 0;

    struct Totals {
        std::uint64_t inline_bytes = 0;  // waiting for the mover
        std::uint64_t live_bytes = 0;
        std::uint64_t inodes = 0;
        std::uint64_t upkeep_waiting = 0;  // orphans, and directories to be looked at
        bool operator==(const Totals&) const = default;
    };
    virtual Totals totals() = 0;

    // ---- holds: an inode that loses its last name while held becomes an orphan, not garbage.
    // not_found: it is gone. Balanced by release, after the last of which it is reaped.
    virtual Status hold(InodeId inode) = 0;
    virtual void release(InodeId inode) = 0;
    // The directory was used by a mount or NFS: S3 does not prune it for 60 s.
    virtual void touch_directory(InodeId directory) = 0;
};

// The one namespace (design, section 3). Thread rules: all calls from any thread; `submit` never
// blocks on disk. Reads see every commit that was completed before they began. What a completed
// durable Txn did survives power loss; a non-durable one is visible at once, in order, and durable
// with the next durable Txn or `sync`. io_error with Why::outcome_unknown: the commit may have
// happened.
class MetaStore : public Namespace {
public:
    // Queues; `done` is called from the writer thread, in order. unavailable (through `done`) when
    // the queue is full or the store is stopped.
    virtual void submit(Txn txn, Completion done) = 0;
    // submit and wait.
    TxnResult commit(Txn txn);
    TxnResult commit(Op op, bool durable = true);
    // Makes every completed Txn durable.
    virtual Status sync() = 0;
    // Of the last commit that is known to survive power loss.
    virtual std::uint64_t durable_sequence() = 0;
    // Whether that commit does. What a Txn made garbage may go from the disks only then: before it
    // its names can come back.
    virtual bool is_durable(std::uint64_t sequence) = 0;
    // A number never given before and never again, for an inode that is about to be made. Leased
    // durably in blocks ahead of use, so this does not wait. Any thread.
    virtual InodeId new_inode_id() = 0;

    // Reaps orphans nobody holds and prunes what is due. Called now and then; bounded work, a
    // little at a time, so that others need not wait for it. True: there is more to do.
    virtual Result<bool> upkeep() = 0;

    // Refuses new work, finishes what is queued, syncs, checkpoints. Safe to repeat.
    virtual Status stop() = 0;
};

}  // namespace objstore
