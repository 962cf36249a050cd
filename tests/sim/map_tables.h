#pragma once

#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <utility>

#include "objstore/meta/tables.h"

namespace tests {

// All rows of a namespace, plainly.
struct NamespaceRows {
    using Extents = std::map<std::uint64_t, objstore::Extent>;
    using SharedKey = std::tuple<std::uint64_t, std::uint64_t, objstore::InodeId, std::uint64_t>;

    std::map<objstore::InodeId, objstore::Inode> inodes;
    std::map<std::pair<objstore::InodeId, std::string>, objstore::Entry> entries;
    std::map<objstore::InodeId, Extents> extents;
    std::map<objstore::InodeId, objstore::BucketRow> buckets;
    std::map<std::uint64_t, objstore::UploadRow> uploads;
    std::map<std::pair<std::uint64_t, std::uint32_t>, objstore::PartRow> parts;
    std::map<objstore::InodeId, std::vector<objstore::ObjectPart>> object_parts;
    std::map<std::pair<objstore::InodeId, std::string>, objstore::XattrRow> xattrs;
    std::map<std::uint64_t, objstore::InlineRow> inlines;
    std::map<SharedKey, objstore::SharedRow> shared;
    std::map<objstore::InodeId, objstore::OrphanRow> orphans;
    std::map<objstore::VolumeId, objstore::VolumeRow> volumes;
    std::map<std::string, std::string> settings;
};

// The tables in memory, with the root in them. A Txn that fails leaves nothing behind. Hard on its
// user where the contract allows: an edit frees what earlier pointers to the inode point to, and
// `change` moves once a Txn. Threads: one.
class MapTables final : public objstore::Tables {
public:
    MapTables();

    // Carries out operations as one Txn; `result` is of the last that ran.
    objstore::Status commit(std::span<const objstore::Op> ops, objstore::OpResult* result);
    objstore::Status commit(const objstore::Op& op, objstore::OpResult* result = nullptr) {
        return commit(std::span(&op, 1), result);
    }

    NamespaceRows rows() const;

    // What `held` and `used_recently` answer.
    std::multiset<objstore::InodeId> holds;
    std::set<objstore::InodeId> used;
    // What `prune_later` was asked for.
    std::set<objstore::InodeId> prunes;

    objstore::Result<const objstore::Inode*> inode(objstore::InodeId id) override;
    objstore::Result<objstore::Inode*> edit_inode(objstore::InodeId id) override;
    objstore::Inode* add_inode(objstore::Inode inode) override;
    void erase_inode(objstore::InodeId id) override;
    objstore::Result<std::optional<objstore::Entry>> entry(objstore::InodeId parent,
                                                           std::string_view name) override;
    void put_entry(objstore::Entry entry) override;
    void erase_entry(objstore::InodeId parent, std::string_view name) override;
    objstore::Result<std::vector<objstore::Entry>> entries(objstore::InodeId parent,
                                                           std::string_view from,
                                                           std::size_t limit) override;
    objstore::Result<std::vector<objstore::Extent>> extents(objstore::InodeId id,
                                                            std::uint64_t from,
                                                            std::uint64_t to,
                                                            std::size_t limit) override;
    void put_extent(objstore::InodeId id, const objstore::Extent& extent) override;
    void erase_extent(objstore::InodeId id, std::uint64_t logical_offset) override;
    objstore::Result<std::optional<objstore::BucketRow>> bucket(std::string_view name) override;
    objstore::Result<std::optional<objstore::BucketRow>> bucket_by_inode(
        objstore::InodeId id) override;
    void put_bucket(objstore::BucketRow row) override;
    void erase_bucket(objstore::InodeId id) override;
    objstore::Result<std::optional<objstore::UploadRow>> upload(std::uint64_t id) override;
    objstore::Result<std::optional<objstore::UploadRow>> upload_by_inode(
        objstore::InodeId id) override;
    objstore::Result<bool> has_uploads(objstore::InodeId bucket) override;
    void put_upload(objstore::UploadRow row) override;
    void erase_upload(std::uint64_t id) override;
    objstore::Result<std::optional<objstore::PartRow>> part(std::uint64_t upload,
                                                            std::uint32_t number) override;
    objstore::Result<std::vector<objstore::PartRow>> parts(std::uint64_t upload,
                                                           std::uint32_t after,
                                                           std::size_t limit) override;
    void put_part(objstore::PartRow row) override;
    void erase_part(std::uint64_t upload, std::uint32_t number) override;
    objstore::Result<std::vector<objstore::ObjectPart>> object_parts(objstore::InodeId id) override;
    void put_object_parts(objstore::InodeId id, std::vector<objstore::ObjectPart> parts) override;
    void erase_object_parts(objstore::InodeId id) override;
    objstore::Result<std::optional<objstore::XattrRow>> xattr(objstore::InodeId id,
                                                              std::string_view name) override;
    objstore::Result<std::vector<objstore::XattrRow>> xattrs(objstore::InodeId id) override;
    void put_xattr(objstore::XattrRow row) override;
    void erase_xattr(objstore::InodeId id, std::string_view name) override;
    objstore::Result<std::optional<objstore::InlineRow>> inline_row(std::uint64_t id) override;
    objstore::Result<std::optional<objstore::InlineHead>> inline_head(std::uint64_t id) override;
    void put_inline(objstore::InlineRow row) override;
    void erase_inline(std::uint64_t id) override;
    objstore::Result<std::vector<objstore::SharedRow>> shared(std::uint64_t volume,
                                                              std::uint64_t place,
                                                              std::uint32_t from,
                                                              std::uint64_t to,
                                                              std::size_t limit) override;
    void put_shared(objstore::SharedRow row) override;
    void erase_shared(const objstore::SharedRow& row) override;
    objstore::Result<std::optional<objstore::OrphanRow>> orphan(objstore::InodeId id) override;
    void put_orphan(objstore::OrphanRow row) override;
    void erase_orphan(objstore::InodeId id) override;
    objstore::Result<std::optional<objstore::VolumeRow>> volume(objstore::VolumeId id) override;
    void put_volume(objstore::VolumeRow row) override;
    void add_live(objstore::VolumeId id, std::int64_t bytes, std::uint64_t end) override;
    void put_setting(std::string_view name, std::string_view value) override;
    std::uint64_t next_id() override { return next_id_++; }
    bool held(objstore::InodeId id) override { return holds.count(id) > 0; }
    bool used_recently(objstore::InodeId directory) override { return used.count(directory) > 0; }
    void prune_later(objstore::InodeId directory) override { prunes.insert(directory); }

private:
    std::map<objstore::InodeId, std::unique_ptr<objstore::Inode>> inodes_;
    NamespaceRows rows_;                  // but for the inodes
    std::set<objstore::InodeId> edited_;  // by the running Txn
    std::uint64_t next_id_ = 100;
};

}  // namespace tests
