#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "objstore/base/status.h"
#include "objstore/engine/content_writer.h"
#include "objstore/engine/object_reader.h"
#include "objstore/meta/meta_store.h"
#include "objstore/volume/volume_store.h"

namespace objstore {

// By which door a call came: the mount that made a change is never notified of it.
enum class Door : std::uint8_t { s3, fuse, nfs, internal };

// Told of every change after its commit and before the call that made it returns, in that call's
// thread or one kept for it, with no engine lock held. May wait a bounded time (kernel
// invalidation).
class ChangeListener {
public:
    virtual ~ChangeListener() = default;
    virtual void changed(std::span<const Change> changes, Door door) = 0;
};

struct CallOptions {
    Door door = Door::internal;
    bool durable = true;  // false: visible on return, durable with the next sync (at most 1 s)
};

struct ObjectInfo {
    std::string key;  // as listed; empty where the caller named it
    InodePtr inode;
    UnixNanos last_modified = 0;
};

struct ListRequest {
    std::string prefix;
    std::string delimiter;
    std::string start_after;   // keys and common prefixes above this
    std::size_t limit = 1000;  // objects and common prefixes together
};
struct ListPage {
    std::vector<ObjectInfo> objects;
    std::vector<std::string> common_prefixes;
    bool truncated = false;
    std::string next;  // truncated: `start_after` of the next page
};

// What S3 says of new content; the bytes come by a ContentWriter.
struct PutAttributes {
    ETag etag;
    HeaderList headers;
    std::vector<StoredChecksum> checksums;
    std::optional<std::uint32_t> mode;
    std::optional<std::pair<std::uint32_t, std::uint32_t>> owner;
    std::optional<UnixNanos> mtime;
    WriteConditions conditions;
};
struct PartAttributes {
    std::uint32_t number = 0;
    ETag etag;
    StoredChecksum checksum;
};

// A range of an object to share, or all of it.
struct CopySource {
    InodePtr inode;  // as resolved and checked against the conditions
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
};

struct WritePiece {
    std::uint64_t offset = 0;
    Bytes bytes;
};

// The one face of storage: namespace operations with data (design, section 4). Durability: a call
// that changes something returns when it is durable, unless CallOptions says otherwise. Calls block
// and are safe from any thread; `try_` forms answer from memory and page cache or not at all.
class Engine {
public:
    virtual ~Engine() = default;

    // Reads and holds of the namespace, for the doors.
    virtual Namespace& names() = 0;
    // Carries out namespace operations that bring no data, and tells the listeners. already_exists
    // and conflict leave what is there in `OpResult::before` through `failed`, when given.
    virtual Result<OpResult> apply(Op op, CallOptions options, OpResult* failed = nullptr) = 0;
    // Each by itself and in their order, as `apply` would; but all of them share few syncs.
    virtual std::vector<Result<OpResult>> apply_each(std::vector<Op> ops, CallOptions options) = 0;
    // Everything acknowledged so far becomes durable.
    virtual Status sync() = 0;

    // ---- objects by key
    virtual Result<BucketRow> bucket(std::string_view name) = 0;
    virtual Result<ObjectInfo> stat(InodeId bucket, std::string_view key) = 0;
    virtual std::optional<ObjectInfo> try_stat(InodeId bucket, std::string_view key) = 0;
    // A snapshot of the content: what it reads is one generation, or conflict. The reader's inode
    // is the truth, and may be newer than `object`. not_found (Why::stale): the key got a new inode
    // meanwhile, stat again.
    virtual Result<std::unique_ptr<ObjectReader>> open(const ObjectInfo& object) = 0;
    // The same without waiting; null: call open.
    virtual std::unique_ptr<ObjectReader> try_open(const ObjectInfo& object) = 0;
    virtual Result<ListPage> list(InodeId bucket, const ListRequest& request) = 0;

    // ---- new content. `size_hint` 0: unknown. Parts and writes to files name their owner; that of
    // an object is a new inode, or its directory when the key ends in '/' and that is there, for
    // which it may block.
    virtual std::unique_ptr<ContentWriter> new_content(Owner owner, std::uint64_t size_hint) = 0;
    virtual std::unique_ptr<ContentWriter> new_object(InodeId bucket,
                                                      std::string_view key,
                                                      std::uint64_t size_hint) = 0;
    virtual Result<OpResult> put(InodeId bucket,
                                 std::string_view key,
                                 std::unique_ptr<ContentWriter> content,
                                 PutAttributes attributes) = 0;
    // The same, but for content that is small: does not block. `done` is called once, from any
    // thread, and must be quick.
    using PutDone = std::function<void(Result<OpResult>)>;
    virtual void start_put(InodeId bucket,
                           std::string_view key,
                           std::unique_ptr<ContentWriter> content,
                           PutAttributes attributes,
                           PutDone done) = 0;
    // Shares the source's stored bytes under the key. conflict when the source changed meanwhile.
    virtual Result<OpResult> copy(const CopySource& source,
                                  InodeId bucket,
                                  std::string_view key,
                                  PutAttributes attributes) = 0;
    virtual Result<PartRow> put_part(const UploadRow& upload,
                                     std::unique_ptr<ContentWriter> content,
                                     PartAttributes attributes) = 0;
    virtual Result<PartRow> copy_part(const UploadRow& upload,
                                      const CopySource& source,
                                      PartAttributes attributes) = 0;
    // Moves no data. `parts`: the rows of those that `op` lists, in its order, without their
    // extents; their digests make the ETag here. invalid_argument (invalid_part): one is missing,
    // or is not the one that is listed.
    virtual Result<OpResult> complete_upload(CompleteUploadOp op,
                                             std::span<const PartRow> parts) = 0;

    // ---- files by inode (fs/vfs)
    // Reads at most out.size() bytes; short only at the end of the file. Holes are zeros.
    virtual Result<std::size_t> read(InodeId inode, std::uint64_t offset, MutableBytes out) = 0;
    virtual std::optional<std::size_t> try_read(InodeId inode,
                                                std::uint64_t offset,
                                                MutableBytes out) = 0;
    // Stores the pieces and names them in `op` (whose content is empty) in one transaction.
    virtual Result<OpResult> write(WriteOp op,
                                   std::span<const WritePiece> pieces,
                                   CallOptions options) = 0;
    // The same for one long run, gathered in `content` from its owner's offset on.
    virtual Result<OpResult> write_content(WriteOp op,
                                           std::unique_ptr<ContentWriter> content,
                                           CallOptions options) = 0;

    // Packs what is kept inline into stripes now; otherwise that happens by itself soon after.
    virtual Status pack() = 0;

    struct Space {
        std::uint64_t total_bytes = 0;  // payload, by the geometry in use
        std::uint64_t free_bytes = 0;
        std::uint64_t inodes = 0;
    };
    virtual Space space() = 0;
    virtual std::vector<VolumeStore::DiskHealth> disks() = 0;

    // Listeners must outlive their subscription, which has ended when unsubscribe returns; not from
    // within `changed`.
    virtual void subscribe(ChangeListener* listener) = 0;
    virtual void unsubscribe(ChangeListener* listener) = 0;

    // Finishes what runs, seals volumes, closes the namespace. Safe to repeat.
    virtual Status stop() = 0;
};

}  // namespace objstore
