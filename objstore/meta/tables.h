#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "objstore/base/status.h"
#include "objstore/erasure/volume_row.h"
#include "objstore/meta/inode.h"
#include "objstore/meta/ops.h"
#include "objstore/meta/rows.h"

namespace objstore {

// The rows as one Txn sees and changes them: an overlay in memory over the batch so far over the
// database. A Txn that fails is dropped whole; one that succeeds is merged into the batch; rows
// reach the database once a batch, just before its commit. Only the writer thread uses it.
// Errors of every read: io_error, corruption. What is absent is nullopt, not an error.
class Tables {
public:
    virtual ~Tables() = default;

    // An inode as it is in this Txn. The pointer holds until the next call that changes it.
    virtual Result<const Inode*> inode(InodeId id) = 0;  // not_found (Why::stale)
    // The same, to change; the pointer holds as long as that of `inode`. Moves `change`; the caller
    // sets times. Where its record is stored follows from parent and name and is no concern of the
    // caller.
    virtual Result<Inode*> edit_inode(InodeId id) = 0;
    virtual Inode* add_inode(Inode inode) = 0;  // id must be set and new
    virtual void erase_inode(InodeId id) = 0;

    virtual Result<std::optional<Entry>> entry(InodeId parent, std::string_view name) = 0;
    virtual void put_entry(Entry entry) = 0;
    virtual void erase_entry(InodeId parent, std::string_view name) = 0;
    // The first entries of a directory, by name, from `from` on. For rare use.
    virtual Result<std::vector<Entry>> entries(InodeId parent,
                                               std::string_view from,
                                               std::size_t limit) = 0;

    // Extents of an inode with `extents_in_table`, those that touch [from, to), in order: the first
    // `limit` of them.
    virtual Result<std::vector<Extent>> extents(InodeId id,
                                                std::uint64_t from,
                                                std::uint64_t to,
                                                std::size_t limit) = 0;
    virtual void put_extent(InodeId id, const Extent& extent) = 0;
    virtual void erase_extent(InodeId id, std::uint64_t logical_offset) = 0;

    virtual Result<std::optional<BucketRow>> bucket(std::string_view name) = 0;
    virtual Result<std::optional<BucketRow>> bucket_by_inode(InodeId id) = 0;
    virtual void put_bucket(BucketRow row) = 0;
    virtual void erase_bucket(InodeId id) = 0;

    virtual Result<std::optional<UploadRow>> upload(std::uint64_t id) = 0;
    // Whose parts are written under that inode. For rare use.
    virtual Result<std::optional<UploadRow>> upload_by_inode(InodeId id) = 0;
    virtual Result<bool> has_uploads(InodeId bucket) = 0;
    virtual void put_upload(UploadRow row) = 0;
    virtual void erase_upload(std::uint64_t id) = 0;
    virtual Result<std::optional<PartRow>> part(std::uint64_t upload, std::uint32_t number) = 0;
    // By number, the first `limit` above `after`.
    virtual Result<std::vector<PartRow>> parts(std::uint64_t upload,
                                               std::uint32_t after,
                                               std::size_t limit) = 0;
    virtual void put_part(PartRow row) = 0;
    virtual void erase_part(std::uint64_t upload, std::uint32_t number) = 0;

    // The list of an object's parts; empty: it has none. Its inode's part_count is the caller's.
    virtual Result<std::vector<ObjectPart>> object_parts(InodeId id) = 0;
    virtual void put_object_parts(InodeId id, std::vector<ObjectPart> parts) = 0;
    virtual void erase_object_parts(InodeId id) = 0;

    virtual Result<std::optional<XattrRow>> xattr(InodeId id, std::string_view name) = 0;
    virtual Result<std::vector<XattrRow>> xattrs(InodeId id) = 0;
    virtual void put_xattr(XattrRow row) = 0;
    virtual void erase_xattr(InodeId id, std::string_view name) = 0;

    virtual Result<std::optional<InlineRow>> inline_row(std::uint64_t id) = 0;
    virtual Result<std::optional<InlineHead>> inline_head(std::uint64_t id) = 0;
    virtual void put_inline(InlineRow row) = 0;
    virtual void erase_inline(std::uint64_t id) = 0;

    // Holders that touch payload [from, to) of a place: `limit` of them, any.
    virtual Result<std::vector<SharedRow>> shared(std::uint64_t volume,
                                                  std::uint64_t place,
                                                  std::uint32_t from,
                                                  std::uint64_t to,
                                                  std::size_t limit) = 0;
    // By the whole row; a place, an inode and a logical offset have one at most.
    virtual void put_shared(SharedRow row) = 0;
    virtual void erase_shared(const SharedRow& row) = 0;

    virtual Result<std::optional<OrphanRow>> orphan(InodeId id) = 0;
    virtual void put_orphan(OrphanRow row) = 0;
    virtual void erase_orphan(InodeId id) = 0;

    virtual Result<std::optional<VolumeRow>> volume(VolumeId id) = 0;
    virtual void put_volume(VolumeRow row) = 0;
    // Payload bytes of the volume that became named (positive) or garbage (negative). `end`: of
    // the stripe in the shard files, for named_end.
    virtual void add_live(VolumeId id, std::int64_t bytes, std::uint64_t end) = 0;

    virtual void put_setting(std::string_view name, std::string_view value) = 0;

    // A number never given before: inodes, cookies, inline rows.
    virtual std::uint64_t next_id() = 0;

    // Whether somebody holds the inode. False also bars new holds until the batch is committed or
    // dropped, so that what is erased now can not be opened in between.
    virtual bool held(InodeId id) = 0;
    // Whether a mount or NFS used the directory within the last 60 s.
    virtual bool used_recently(InodeId directory) = 0;
    // Asks for a PruneOp of the directory once that has passed.
    virtual void prune_later(InodeId directory) = 0;
};

// Carries out one operation. Implemented in ops_*.cc; pure but for `tables`.
Status apply(const Op& op, Tables& tables, OpResult& result);

}  // namespace objstore
