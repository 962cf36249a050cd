#pragma once

#include <atomic>
#include <shared_mutex>
#include <vector>

#include "objstore/base/clock.h"
#include "objstore/base/executor.h"
#include "objstore/base/guarded.h"
#include "objstore/engine/committer.h"
#include "objstore/engine/engine.h"
#include "objstore/engine/mover.h"

namespace objstore {

// The engine over a namespace and volumes of this process. What it is given must outlive it.
class LocalEngine final : public Engine {
public:
    struct Options {
        Committer::Options commit;
        Mover::Options mover;
    };
    struct Deps {
        MetaStore& meta;
        VolumeStore& volumes;
        const Clock& clock;
        spdlog::logger& log;
    };
    LocalEngine(Options options, Deps deps);
    ~LocalEngine() override;  // stops

    Namespace& names() override { return meta_; }
    Result<OpResult> apply(Op op, CallOptions options, OpResult* failed) override;
    std::vector<Result<OpResult>> apply_each(std::vector<Op> ops, CallOptions options) override;
    Status sync() override { return meta_.sync(); }

    Result<BucketRow> bucket(std::string_view name) override;
    Result<ObjectInfo> stat(InodeId bucket, std::string_view key) override;
    std::optional<ObjectInfo> try_stat(InodeId bucket, std::string_view key) override;
    Result<std::unique_ptr<ObjectReader>> open(const ObjectInfo& object) override;
    std::unique_ptr<ObjectReader> try_open(const ObjectInfo& object) override;
    Result<ListPage> list(InodeId bucket, const ListRequest& request) override;

    std::unique_ptr<ContentWriter> new_content(Owner owner, std::uint64_t size_hint) override;
    std::unique_ptr<ContentWriter> new_object(InodeId bucket,
                                              std::string_view key,
                                              std::uint64_t size_hint) override;
    Result<OpResult> put(InodeId bucket,
                         std::string_view key,
                         std::unique_ptr<ContentWriter> content,
                         PutAttributes attributes) override;
    void start_put(InodeId bucket,
                   std::string_view key,
                   std::unique_ptr<ContentWriter> content,
                   PutAttributes attributes,
                   PutDone done) override;
    Result<OpResult> copy(const CopySource& source,
                          InodeId bucket,
                          std::string_view key,
                          PutAttributes attributes) override;
    Result<PartRow> put_part(const UploadRow& upload,
                             std::unique_ptr<ContentWriter> content,
                             PartAttributes attributes) override;
    Result<PartRow> copy_part(const UploadRow& upload,
                              const CopySource& source,
                              PartAttributes attributes) override;
    Result<OpResult> complete_upload(CompleteUploadOp op, std::span<const PartRow> parts) override;

    Result<std::size_t> read(InodeId inode, std::uint64_t offset, MutableBytes out) override;
    std::optional<std::size_t> try_read(InodeId inode,
                                        std::uint64_t offset,
                                        MutableBytes out) override;
    Result<OpResult> write(WriteOp op,
                           std::span<const WritePiece> pieces,
                           CallOptions options) override;
    Result<OpResult> write_content(WriteOp op,
                                   std::unique_ptr<ContentWriter> content,
                                   CallOptions options) override;

    Status pack() override { return mover_.pack(); }
    Space space() override;
    std::vector<VolumeStore::DiskHealth> disks() override { return volumes_.health(); }
    void subscribe(ChangeListener* listener) override;
    void unsubscribe(ChangeListener* listener) override;
    Status stop() override;

private:
    // Adds the writer's bytes to the operation: extents now, or a placement for the committer.
    Status take_content(ContentWriter& content,
                        NewContent& into,
                        std::vector<Placement>& placements);
    // The transaction of a put, and the small bytes that are yet to be placed.
    struct NewPut {
        Txn txn;
        std::vector<Placement> placements;
    };
    Result<NewPut> new_put(PutObjectOp op, ContentWriter& content);
    Result<OpResult> commit(Txn txn, std::vector<Placement> placements, Door door);
    // At once where that is not too much.
    Result<OpResult> copy_in_steps(const CopySource& source, PutObjectOp op);
    Result<OpResult> complete_in_steps(std::span<const PartRow> parts, CompleteUploadOp op);
    Result<OpResult> finish(TxnResult result, Door door, OpResult* failed);
    // The same for one whose changes were told, or need not be.
    Result<OpResult> result_of(TxnResult result, OpResult* failed);
    void notify(std::span<const Change> changes, Door door);
    // What the last component of the key names, whether S3 shows it or not.
    Result<EntryWithInode> find(InodeId bucket, std::string_view key);
    // A put that nobody's thread waits for, once committed.
    struct Put {
        TxnResult result;
        PutDone done;
    };
    void finish_put(Put put);
    void tell_puts();
    Result<Namespace::ContentMap> content_for(const ObjectInfo& object, bool& held);
    Status list_part(CompleteUploadOp& op, const PartRow& row, std::string& digests);

    MetaStore& meta_;
    VolumeStore& volumes_;
    const Clock& clock_;
    Pins pins_;
    Mover mover_;
    Committer committer_;
    std::shared_mutex listeners_mutex_;  // shared by those who tell
    std::vector<ChangeListener*> listeners_;
    std::atomic<std::size_t> listener_count_{0};
    Guarded<std::vector<Put>> untold_;
    ThreadPool notifier_;  // tells of them
};

}  // namespace objstore
