#include "objstore/meta/statements.h"

#include "objstore/base/assert.h"

namespace objstore {

namespace {

// NOLINTNEXTLINE(readability-function-size): a table
const char* read_text(Sql sql) {
    switch (sql) {
        case Sql::state:
            return "SELECT sequence, id_limit, inodes FROM state WHERE id = 1";
        case Sql::inode:
            return "SELECT i.parent, i.name, i.record, e.record FROM inode i LEFT JOIN entry e"
                   " ON i.record IS NULL AND e.parent = i.parent AND e.name = i.name"
                   " WHERE i.ino = ?";
        case Sql::entry:
            return "SELECT name, ino, type, cookie, last_modified, record FROM entry"
                   " WHERE parent = ? AND name = ?";
        case Sql::entries:
            return "SELECT name, ino, type, cookie, last_modified, record FROM entry"
                   " WHERE parent = ? AND name >= ? ORDER BY name";
        case Sql::entries_below:
            return "SELECT name, ino, type, cookie, last_modified, record FROM entry"
                   " WHERE parent = ? AND name >= ? AND name < ? ORDER BY name";
        case Sql::entries_by_cookie:
            return "SELECT name, ino, type, cookie, last_modified, record FROM entry"
                   " INDEXED BY entry_cookie WHERE parent = ? AND cookie > ? ORDER BY cookie";
        case Sql::extents:
            return "SELECT logical_offset, body FROM extent WHERE ino = ?1 AND logical_offset >="
                   " coalesce((SELECT max(logical_offset) FROM extent"
                   " WHERE ino = ?1 AND logical_offset <= ?2), 0)"
                   " AND logical_offset < ?3 ORDER BY logical_offset";
        case Sql::buckets:
            return "SELECT inode, name, created, region, uid, gid, file_mode, directory_mode,"
                   " versioning, owner_from_metadata FROM bucket";
        case Sql::upload:
            return "SELECT id, bucket, key, inode, initiated, body FROM upload WHERE id = ?";
        case Sql::upload_by_inode:
            return "SELECT id, bucket, key, inode, initiated, body FROM upload WHERE inode = ?";
        case Sql::bucket_uploads:
            return "SELECT id FROM upload WHERE bucket = ?";
        case Sql::uploads:
            return "SELECT id, bucket, key, inode, initiated, body FROM upload WHERE bucket = ?"
                   " AND (key, initiated, id) > (?, ?, ?) ORDER BY key, initiated, id LIMIT ?";
        case Sql::parts_after:
            return "SELECT number, body FROM part WHERE upload = ? AND number > ?"
                   " ORDER BY number";
        case Sql::part:
            return "SELECT number, body FROM part WHERE upload = ? AND number = ?";
        case Sql::object_parts:
            return "SELECT body FROM object_parts WHERE ino = ?";
        case Sql::xattr:
            return "SELECT name, value FROM xattr WHERE inode = ? AND name = ?";
        case Sql::xattrs:
            return "SELECT name, value FROM xattr WHERE inode = ?";
        case Sql::inline_row:
            return "SELECT id, inode, generation, logical_offset, crc, bytes FROM inline_data"
                   " WHERE id = ?";
        case Sql::inline_rows:
            return "SELECT id, inode, generation, logical_offset, crc, bytes FROM inline_data"
                   " WHERE id > ? ORDER BY id LIMIT ?";
        case Sql::inline_total:
            return "SELECT coalesce(sum(length(bytes)), 0) FROM inline_data";
        case Sql::inline_head:
            return "SELECT id, inode, logical_offset, crc, length(bytes) FROM inline_data"
                   " WHERE id = ?";
        case Sql::shared_class:
            return "SELECT max(size_class) FROM shared WHERE volume = ? AND place = ?"
                   " AND size_class < ?";
        case Sql::shared:
            return "SELECT inode, logical_offset, payload_offset, length FROM shared"
                   " WHERE volume = ? AND place = ? AND size_class = ? AND payload_offset >= ?"
                   " AND payload_offset < ?";
        case Sql::orphans:
            return "SELECT inode, since FROM orphan ORDER BY inode LIMIT ?";
        case Sql::volumes:
            return "SELECT id, data, parity, state, disks, code, checksum, storage_class, pool,"
                   " node, length, payload_bytes, live_bytes, named_end FROM volume";
        case Sql::setting:
            return "SELECT value FROM setting WHERE name = ?";
        case Sql::prunes:
            return "SELECT directory, due FROM prune";
        default:
            return nullptr;
    }
}

const char* namespace_text(Sql sql) {
    switch (sql) {
        case Sql::begin:
            return "BEGIN";
        case Sql::commit:
            return "COMMIT";
        case Sql::rollback:
            return "ROLLBACK";
        case Sql::put_state:
            return "UPDATE state SET sequence = ?, id_limit = ?, inodes = ? WHERE id = 1";
        case Sql::insert_inode:
            return "INSERT INTO inode(ino, parent, name, record) VALUES(?, ?, ?, ?)";
        case Sql::put_inode:
            return "REPLACE INTO inode(ino, parent, name, record) VALUES(?, ?, ?, ?)";
        case Sql::erase_inode:
            return "DELETE FROM inode WHERE ino = ?";
        case Sql::insert_entry:
            return "INSERT INTO entry(parent, name, ino, type, cookie, last_modified, record)"
                   " VALUES(?, ?, ?, ?, ?, ?, ?)";
        case Sql::put_entry:
            return "REPLACE INTO entry(parent, name, ino, type, cookie, last_modified, record)"
                   " VALUES(?, ?, ?, ?, ?, ?, ?)";
        case Sql::update_entry:
            return "UPDATE entry SET ino = ?3, type = ?4, last_modified = ?6, record = ?7"
                   " WHERE parent = ?1 AND name = ?2 AND cookie = ?5";
        case Sql::put_entry_record:
            return "UPDATE entry SET record = ?4 WHERE parent = ?1 AND name = ?2 AND ino = ?3";
        case Sql::clear_entry_record:
            return "UPDATE entry SET record = NULL WHERE parent = ?1 AND name = ?2 AND ino = ?3";
        case Sql::erase_entry:
            return "DELETE FROM entry WHERE parent = ? AND name = ?";
        case Sql::put_extent:
            return "REPLACE INTO extent(ino, logical_offset, body) VALUES(?, ?, ?)";
        case Sql::erase_extent:
            return "DELETE FROM extent WHERE ino = ? AND logical_offset = ?";
        default:
            return nullptr;
    }
}

const char* other_text(Sql sql) {
    switch (sql) {
        case Sql::put_bucket:
            return "REPLACE INTO bucket(inode, name, created, region, uid, gid, file_mode,"
                   " directory_mode, versioning, owner_from_metadata)"
                   " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
        case Sql::erase_bucket:
            return "DELETE FROM bucket WHERE inode = ?";
        case Sql::put_upload:
            return "REPLACE INTO upload(id, bucket, key, inode, initiated, body)"
                   " VALUES(?, ?, ?, ?, ?, ?)";
        case Sql::erase_upload:
            return "DELETE FROM upload WHERE id = ?";
        case Sql::put_part:
            return "REPLACE INTO part(upload, number, body) VALUES(?, ?, ?)";
        case Sql::erase_part:
            return "DELETE FROM part WHERE upload = ? AND number = ?";
        case Sql::put_object_parts:
            return "REPLACE INTO object_parts(ino, body) VALUES(?, ?)";
        case Sql::erase_object_parts:
            return "DELETE FROM object_parts WHERE ino = ?";
        case Sql::put_xattr:
            return "REPLACE INTO xattr(inode, name, value) VALUES(?, ?, ?)";
        case Sql::erase_xattr:
            return "DELETE FROM xattr WHERE inode = ? AND name = ?";
        case Sql::put_inline:
            return "REPLACE INTO inline_data(id, inode, generation, logical_offset, crc, bytes)"
                   " VALUES(?, ?, ?, ?, ?, ?)";
        case Sql::erase_inline:
            return "DELETE FROM inline_data WHERE id = ?";
        case Sql::put_shared:
            return "REPLACE INTO shared(volume, place, size_class, payload_offset, inode,"
                   " logical_offset, length) VALUES(?, ?, ?, ?, ?, ?, ?)";
        case Sql::erase_shared:
            return "DELETE FROM shared WHERE volume = ? AND place = ? AND size_class = ?"
                   " AND payload_offset = ? AND inode = ? AND logical_offset = ?";
        case Sql::put_orphan:
            return "REPLACE INTO orphan(inode, since) VALUES(?, ?)";
        case Sql::erase_orphan:
            return "DELETE FROM orphan WHERE inode = ?";
        case Sql::put_volume:
            return "REPLACE INTO volume(id, data, parity, state, disks, code, checksum,"
                   " storage_class, pool, node, length, payload_bytes, live_bytes, named_end)"
                   " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
        case Sql::put_setting:
            return "REPLACE INTO setting(name, value) VALUES(?, ?)";
        case Sql::put_prune:
            return "REPLACE INTO prune(directory, due) VALUES(?, ?)";
        case Sql::erase_prune:
            return "DELETE FROM prune WHERE directory = ?";
        default:
            return nullptr;
    }
}

}  // namespace

const char* text_of(Sql sql) {
    const char* text = read_text(sql);
    if (text == nullptr) text = namespace_text(sql);
    if (text == nullptr) text = other_text(sql);
    ASSERT(text != nullptr);
    return text;
}

}  // namespace objstore
