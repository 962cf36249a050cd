#pragma once

#include <cstddef>
#include <cstdint>

namespace objstore {

// Every statement that the running store uses, prepared once for each connection. What makes and
// migrates the tables is in schema.cc.
enum class Sql : std::uint8_t {
    // Reads.
    state,
    inode,
    entry,
    entries,
    entries_below,
    entries_by_cookie,
    extents,
    buckets,
    upload,
    upload_by_inode,
    bucket_uploads,
    uploads,
    parts_after,
    part,
    object_parts,
    xattr,
    xattrs,
    inline_row,
    inline_rows,
    inline_total,
    inline_head,
    shared_class,
    shared,
    orphans,
    volumes,
    setting,
    prunes,
    // Writes.
    begin,
    commit,
    rollback,
    put_state,
    insert_inode,
    put_inode,
    erase_inode,
    insert_entry,
    put_entry,
    update_entry,
    put_entry_record,
    clear_entry_record,
    erase_entry,
    put_extent,
    erase_extent,
    put_bucket,
    erase_bucket,
    put_upload,
    erase_upload,
    put_part,
    erase_part,
    put_object_parts,
    erase_object_parts,
    put_xattr,
    erase_xattr,
    put_inline,
    erase_inline,
    put_shared,
    erase_shared,
    put_orphan,
    erase_orphan,
    put_volume,
    put_setting,
    put_prune,
    erase_prune,
    count,
};
inline constexpr std::size_t kSqlCount = static_cast<std::size_t>(Sql::count);

const char* text_of(Sql sql);

}  // namespace objstore
