#include "objstore/meta/row_writer.h"

#include <fmt/format.h>

#include "objstore/meta/record.h"

namespace objstore {

namespace {

void bind_key(Cursor& cursor, const SharedRow& row) {
    cursor.bind(row.volume).bind(row.place).bind(std::uint64_t{row.size_class()});
    cursor.bind(std::uint64_t{row.payload_offset}).bind(row.inode).bind(row.logical_offset);
}

}  // namespace

Status RowWriter::put_state(const StateRow& state) {
    return Cursor(connection_, Sql::put_state)
        .bind(state.sequence)
        .bind(state.id_limit)
        .bind(state.inodes)
        .run();
}

Status RowWriter::write_inode(Sql sql, const Inode& inode) {
    Cursor cursor(connection_, sql);
    cursor.bind(inode.id).bind(inode.parent);
    if (inode.parent != 0) return cursor.bind(inode.name).bind_null().run();
    record_.clear();
    append_inode(record_, inode);
    return cursor.bind(std::string_view()).bind(record_).run();
}

Status RowWriter::insert_inode(const Inode& inode) {
    return write_inode(Sql::insert_inode, inode);
}

Status RowWriter::put_inode(const Inode& inode) {
    return write_inode(Sql::put_inode, inode);
}

Status RowWriter::erase_inode(InodeId id) {
    return Cursor(connection_, Sql::erase_inode).bind(id).run();
}

Status RowWriter::put_entry(const Entry& entry, const Inode* record, Replaces replaces) {
    Sql sql = Sql::put_entry;
    if (replaces == Replaces::nothing) sql = Sql::insert_entry;
    if (replaces == Replaces::same_cookie) sql = Sql::update_entry;
    Cursor cursor(connection_, sql);
    cursor.bind(entry.parent).bind(entry.name).bind(entry.inode);
    cursor.bind(static_cast<std::uint64_t>(entry.type)).bind(entry.cookie);
    cursor.bind_signed(entry.last_modified);
    if (record == nullptr) {
        cursor.bind_null();
    } else {
        ASSERT(record->parent == entry.parent && record->id == entry.inode);
        record_.clear();
        append_inode(record_, *record);
        cursor.bind(record_);
    }
    TRY(cursor.run());
    if (replaces == Replaces::same_cookie && connection_.changed_rows() != 1) {
        return Status::corruption(
            fmt::format("entry {}/{}: not there to be updated", entry.parent, entry.name));
    }
    return {};
}

Status RowWriter::put_entry_record(const Inode& inode) {
    record_.clear();
    append_inode(record_, inode);
    Cursor cursor(connection_, Sql::put_entry_record);
    TRY(cursor.bind(inode.parent).bind(inode.name).bind(inode.id).bind(record_).run());
    if (connection_.changed_rows() != 1) {
        return Status::corruption(
            fmt::format("inode {}: no entry {}/{}", inode.id, inode.parent, inode.name));
    }
    return {};
}

Status RowWriter::clear_entry_record(InodeId parent, std::string_view name, InodeId inode) {
    return Cursor(connection_, Sql::clear_entry_record).bind(parent).bind(name).bind(inode).run();
}

Status RowWriter::erase_entry(InodeId parent, std::string_view name) {
    return Cursor(connection_, Sql::erase_entry).bind(parent).bind(name).run();
}

Status RowWriter::put_extent(InodeId id, const Extent& extent) {
    const std::string body = encode_extent(extent);
    return Cursor(connection_, Sql::put_extent)
        .bind(id)
        .bind(extent.logical_offset)
        .bind(body)
        .run();
}

Status RowWriter::erase_extent(InodeId id, std::uint64_t logical_offset) {
    return Cursor(connection_, Sql::erase_extent).bind(id).bind(logical_offset).run();
}

Status RowWriter::put_bucket(const BucketRow& row) {
    Cursor cursor(connection_, Sql::put_bucket);
    cursor.bind(row.inode).bind(row.name).bind_signed(row.created).bind(row.region);
    cursor.bind(std::uint64_t{row.uid}).bind(std::uint64_t{row.gid});
    cursor.bind(std::uint64_t{row.file_mode}).bind(std::uint64_t{row.directory_mode});
    cursor.bind(std::uint64_t{row.versioning});
    return cursor.bind(std::uint64_t{row.owner_from_metadata}).run();
}

Status RowWriter::erase_bucket(InodeId id) {
    return Cursor(connection_, Sql::erase_bucket).bind(id).run();
}

Status RowWriter::put_upload(const UploadRow& row) {
    const std::string body = encode_upload(row);
    Cursor cursor(connection_, Sql::put_upload);
    cursor.bind(row.id).bind(row.bucket).bind(row.key).bind(row.inode);
    return cursor.bind_signed(row.initiated).bind(body).run();
}

Status RowWriter::erase_upload(std::uint64_t id) {
    return Cursor(connection_, Sql::erase_upload).bind(id).run();
}

Status RowWriter::put_part(const PartRow& row) {
    const std::string body = encode_part(row);
    return Cursor(connection_, Sql::put_part)
        .bind(row.upload)
        .bind(std::uint64_t{row.number})
        .bind(body)
        .run();
}

Status RowWriter::erase_part(std::uint64_t upload, std::uint32_t number) {
    return Cursor(connection_, Sql::erase_part).bind(upload).bind(std::uint64_t{number}).run();
}

Status RowWriter::put_object_parts(InodeId id, const std::vector<ObjectPart>& parts) {
    const std::string body = encode_object_parts(parts);
    return Cursor(connection_, Sql::put_object_parts).bind(id).bind(body).run();
}

Status RowWriter::erase_object_parts(InodeId id) {
    return Cursor(connection_, Sql::erase_object_parts).bind(id).run();
}

Status RowWriter::put_xattr(const XattrRow& row) {
    return Cursor(connection_, Sql::put_xattr).bind(row.inode).bind(row.name).bind(row.value).run();
}

Status RowWriter::erase_xattr(InodeId id, std::string_view name) {
    return Cursor(connection_, Sql::erase_xattr).bind(id).bind(name).run();
}

Status RowWriter::put_inline(const InlineRow& row) {
    Cursor cursor(connection_, Sql::put_inline);
    return cursor.bind(row.id)
        .bind(row.inode)
        .bind(row.generation)
        .bind(row.logical_offset)
        .bind(std::uint64_t{row.crc})
        .bind(row.bytes)
        .run();
}

Status RowWriter::erase_inline(std::uint64_t id) {
    return Cursor(connection_, Sql::erase_inline).bind(id).run();
}

Status RowWriter::put_shared(const SharedRow& row) {
    Cursor cursor(connection_, Sql::put_shared);
    bind_key(cursor, row);
    return cursor.bind(row.length).run();
}

Status RowWriter::erase_shared(const SharedRow& row) {
    Cursor cursor(connection_, Sql::erase_shared);
    bind_key(cursor, row);
    return cursor.run();
}

Status RowWriter::put_orphan(const OrphanRow& row) {
    return Cursor(connection_, Sql::put_orphan).bind(row.inode).bind_signed(row.since).run();
}

Status RowWriter::erase_orphan(InodeId id) {
    return Cursor(connection_, Sql::erase_orphan).bind(id).run();
}

Status RowWriter::put_volume(const VolumeRow& row) {
    ASSERT(row.geometry.valid());
    const auto shards = static_cast<std::size_t>(row.geometry.shards());
    const std::string_view disks(reinterpret_cast<const char*>(row.disks.data()),
                                 shards * sizeof(DiskId));
    Cursor cursor(connection_, Sql::put_volume);
    cursor.bind(row.id);
    cursor.bind(std::uint64_t{row.geometry.data}).bind(std::uint64_t{row.geometry.parity});
    cursor.bind(static_cast<std::uint64_t>(row.state)).bind(disks);
    cursor.bind(std::uint64_t{row.code}).bind(std::uint64_t{row.checksum});
    cursor.bind(std::uint64_t{row.storage_class}).bind(std::uint64_t{row.pool}).bind(row.node);
    cursor.bind(row.length).bind(row.payload_bytes);
    return cursor.bind(row.live_bytes).bind(row.named_end).run();
}

Status RowWriter::put_setting(std::string_view name, std::string_view value) {
    return Cursor(connection_, Sql::put_setting).bind(name).bind(value).run();
}

Status RowWriter::put_prune(const PruneRow& row) {
    return Cursor(connection_, Sql::put_prune).bind(row.directory).bind_signed(row.due).run();
}

Status RowWriter::erase_prune(InodeId directory) {
    return Cursor(connection_, Sql::erase_prune).bind(directory).run();
}

}  // namespace objstore
