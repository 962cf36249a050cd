#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "objstore/meta/cache.h"
#include "objstore/meta/holds.h"
#include "objstore/meta/layer.h"
#include "objstore/meta/resident.h"
#include "objstore/meta/row_reader.h"
#include "objstore/meta/row_writer.h"
#include "objstore/meta/tables.h"

namespace objstore {

// Ids that were never given before. Threads: any.
class IdSource final {
public:
    std::uint64_t next() { return next_.fetch_add(1, std::memory_order_relaxed); }
    // Above all that were given.
    std::uint64_t given() const { return next_.load(std::memory_order_relaxed); }
    void restart(std::uint64_t from) { next_.store(from, std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> next_{0};
};

struct EntryLess {
    using is_transparent = void;
    bool operator()(const EntryRef& a, const EntryRef& b) const {
        return a.parent != b.parent ? a.parent < b.parent : a.name < b.name;
    }
};

// The rows as one Txn sees them: its changes over those of the batch over caches and database.
// begin_txn, operations, then keep or drop; at the end of the batch flush, publish, clear.
// Threads: the writer's.
class Overlay final : public Tables {
public:
    struct Deps {
        Connection& connection;
        Caches& caches;
        Resident& resident;
        Holds& holds;
        const RecentDirectories& recent;
        IdSource& ids;
        const Clock& clock;
    };
    explicit Overlay(const Deps& deps)
        : deps_(deps), rows_(deps.connection), first_new_id_(deps.ids.given()) {}

    void begin_txn();
    // What went wrong where a call could not answer it; the Txn must be dropped then.
    const Status& problem() const { return problem_; }
    // What the running Txn has changed so far.
    std::vector<Change> changes() const;
    void keep();
    void drop();
    // PruneOp is about to look at the directory.
    void forget_prune(InodeId directory);

    // Rows that the batch has read or changed so far.
    std::size_t row_count() const;
    // Whether any kept Txn has changed a row.
    bool dirty() const { return dirty_; }
    // Writes all changed rows; the caller commits. Totals are those after it.
    Status flush(MetaStore::Totals& totals);
    // After the commit: caches and resident tables have what was flushed.
    void publish(std::uint64_t sequence, const MetaStore::Totals& totals);
    void clear();

    Result<const Inode*> inode(InodeId id) override;
    Result<Inode*> edit_inode(InodeId id) override;
    Inode* add_inode(Inode inode) override;
    void erase_inode(InodeId id) override;
    Result<std::optional<Entry>> entry(InodeId parent, std::string_view name) override;
    void put_entry(Entry entry) override;
    void erase_entry(InodeId parent, std::string_view name) override;
    Result<std::vector<Entry>> entries(InodeId parent,
                                       std::string_view from,
                                       std::size_t limit) override;
    Result<std::vector<Extent>> extents(InodeId id,
                                        std::uint64_t from,
                                        std::uint64_t to,
                                        std::size_t limit) override;
    void put_extent(InodeId id, const Extent& extent) override;
    void erase_extent(InodeId id, std::uint64_t logical_offset) override;
    Result<std::optional<BucketRow>> bucket(std::string_view name) override;
    Result<std::optional<BucketRow>> bucket_by_inode(InodeId id) override;
    void put_bucket(BucketRow row) override;
    void erase_bucket(InodeId id) override;
    Result<std::optional<UploadRow>> upload(std::uint64_t id) override;
    Result<std::optional<UploadRow>> upload_by_inode(InodeId id) override;
    Result<bool> has_uploads(InodeId bucket) override;
    void put_upload(UploadRow row) override;
    void erase_upload(std::uint64_t id) override;
    Result<std::optional<PartRow>> part(std::uint64_t upload, std::uint32_t number) override;
    Result<std::vector<PartRow>> parts(std::uint64_t upload,
                                       std::uint32_t after,
                                       std::size_t limit) override;
    void put_part(PartRow row) override;
    void erase_part(std::uint64_t upload, std::uint32_t number) override;
    Result<std::vector<ObjectPart>> object_parts(InodeId id) override;
    void put_object_parts(InodeId id, std::vector<ObjectPart> parts) override;
    void erase_object_parts(InodeId id) override;
    Result<std::optional<XattrRow>> xattr(InodeId id, std::string_view name) override;
    Result<std::vector<XattrRow>> xattrs(InodeId id) override;
    void put_xattr(XattrRow row) override;
    void erase_xattr(InodeId id, std::string_view name) override;
    Result<std::optional<InlineRow>> inline_row(std::uint64_t id) override;
    Result<std::optional<InlineHead>> inline_head(std::uint64_t id) override;
    void put_inline(InlineRow row) override;
    void erase_inline(std::uint64_t id) override;
    Result<std::vector<SharedRow>> shared(std::uint64_t volume,
                                          std::uint64_t place,
                                          std::uint32_t from,
                                          std::uint64_t to,
                                          std::size_t limit) override;
    void put_shared(SharedRow row) override;
    void erase_shared(const SharedRow& row) override;
    Result<std::optional<OrphanRow>> orphan(InodeId id) override;
    void put_orphan(OrphanRow row) override;
    void erase_orphan(InodeId id) override;
    Result<std::optional<VolumeRow>> volume(VolumeId id) override;
    void put_volume(VolumeRow row) override;
    void add_live(VolumeId id, std::int64_t bytes, std::uint64_t end) override;
    void put_setting(std::string_view name, std::string_view value) override;
    std::uint64_t next_id() override { return deps_.ids.next(); }
    bool held(InodeId id) override { return deps_.holds.held_or_bar(id); }
    bool used_recently(InodeId directory) override { return deps_.recent.used(directory); }
    void prune_later(InodeId directory) override;

private:
    struct InodeRow {
        InodePtr committed;             // null: the database has none
        std::shared_ptr<Inode> edited;  // shared: the caches get it as it is
        bool erased = false;
        const Inode* now() const;
    };
    struct EntryRow {
        bool known = false;  // whether `committed` is
        std::optional<Entry> committed;
        std::optional<Entry> now;
    };
    template <typename Row>
    using Erasable = std::optional<Row>;  // nullopt: erased
    using ExtentKey = std::pair<InodeId, std::uint64_t>;
    using PartKey = std::pair<std::uint64_t, std::uint32_t>;
    // The table's own: volume, place, size class, payload offset, inode, logical offset. With the
    // length instead, a row that shrinks within its class would be two changes of one stored row.
    using SharedKey = std::
        tuple<std::uint64_t, std::uint64_t, std::uint8_t, std::uint32_t, InodeId, std::uint64_t>;
    static SharedKey key_of(const SharedRow& row);

    template <typename Self, typename Fn>
    static void for_each_layer(Self& self, Fn&& fn);
    Result<const InodeRow*> load_inode(InodeId id);
    Status flush_inode(RowWriter& out, InodeId id, const InodeRow& row);
    Status flush_entry(RowWriter& out, const EntryKey& key, const EntryRow& row);
    Status flush_names(RowWriter& out, MetaStore::Totals& totals);
    Status flush_content(RowWriter& out, MetaStore::Totals& totals);
    Result<std::uint64_t> stored_inline_size(std::uint64_t id) const;  // 0: not stored
    Status flush_s3(RowWriter& out);
    Status flush_small(RowWriter& out);

    const Deps deps_;
    const RowReader rows_;
    std::uint64_t txn_ = 0;
    std::uint64_t first_new_id_;  // ids from here on were given during this batch
    bool dirty_ = false;
    Status problem_;

    Layer<InodeId, InodeRow> inodes_;
    Layer<EntryKey, EntryRow, EntryLess> entries_;
    Layer<ExtentKey, Erasable<Extent>> extents_;
    Layer<InodeId, Erasable<BucketRow>> buckets_;
    Layer<std::uint64_t, Erasable<UploadRow>> uploads_;
    Layer<PartKey, Erasable<PartRow>> parts_;
    Layer<InodeId, std::vector<ObjectPart>> object_parts_;   // empty: erased
    Layer<EntryKey, Erasable<XattrRow>, EntryLess> xattrs_;  // by inode and name
    Layer<std::uint64_t, Erasable<InlineRow>> inlines_;
    // Of stored rows, once asked for.
    std::unordered_map<std::uint64_t, std::uint64_t> inline_sizes_;
    Layer<SharedKey, Erasable<SharedRow>> shared_;
    Layer<InodeId, Erasable<OrphanRow>> orphans_;
    Layer<VolumeId, VolumeRow> volumes_;
    Layer<std::string, std::string> settings_;
    Layer<InodeId, Erasable<UnixNanos>> prunes_;
};

}  // namespace objstore
