#pragma once

#include <string>
#include <string_view>

#include "objstore/meta/connection.h"
#include "objstore/meta/inode.h"
#include "objstore/meta/row_reader.h"
#include "objstore/meta/rows.h"

namespace objstore {

// Writes rows in the connection's open transaction. Errors of all: io_error, no_space, corruption.
// Threads: that of the connection, which must outlive this.
class RowWriter final {
public:
    explicit RowWriter(Connection& connection) : connection_(connection) {}

    Status put_state(const StateRow& state);
    // The inode's own row; its record only where it has not exactly one name.
    Status insert_inode(const Inode& inode);
    Status put_inode(const Inode& inode);
    Status erase_inode(InodeId id);

    // What is known of the row an entry replaces: there is none; one with the same cookie, which
    // spares the index; anything.
    enum class Replaces { nothing, same_cookie, anything };
    // `record` is the inode whose one name this is, else null.
    Status put_entry(const Entry& entry, const Inode* record, Replaces replaces);
    // The record in the row of an inode's one name. corruption: there is no such row.
    Status put_entry_record(const Inode& inode);
    // The row no longer has the record of `inode`.
    Status clear_entry_record(InodeId parent, std::string_view name, InodeId inode);
    Status erase_entry(InodeId parent, std::string_view name);

    Status put_extent(InodeId id, const Extent& extent);
    Status erase_extent(InodeId id, std::uint64_t logical_offset);
    Status put_bucket(const BucketRow& row);
    Status erase_bucket(InodeId id);
    Status put_upload(const UploadRow& row);
    Status erase_upload(std::uint64_t id);
    Status put_part(const PartRow& row);
    Status erase_part(std::uint64_t upload, std::uint32_t number);
    Status put_object_parts(InodeId id, const std::vector<ObjectPart>& parts);
    Status erase_object_parts(InodeId id);
    Status put_xattr(const XattrRow& row);
    Status erase_xattr(InodeId id, std::string_view name);
    Status put_inline(const InlineRow& row);
    Status erase_inline(std::uint64_t id);
    Status put_shared(const SharedRow& row);
    Status erase_shared(const SharedRow& row);
    Status put_orphan(const OrphanRow& row);
    Status erase_orphan(InodeId id);
    Status put_volume(const VolumeRow& row);
    Status put_setting(std::string_view name, std::string_view value);
    Status put_prune(const PruneRow& row);
    Status erase_prune(InodeId directory);

private:
    Status write_inode(Sql sql, const Inode& inode);

    Connection& connection_;
    std::string record_;  // kept for its memory
};

}  // namespace objstore
