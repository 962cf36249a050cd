#include "objstore/meta/ops_objects.h"

#include <algorithm>

#include <fmt/format.h>

#include "objstore/meta/ops_apply.h"
#include "objstore/meta/ops_attributes.h"
#include "objstore/meta/ops_content.h"
#include "objstore/meta/ops_keys.h"
#include "objstore/meta/ops_tree.h"
#include "objstore/meta/visibility.h"

namespace objstore {

namespace {

// The inode of a key's entry, if there is one.
Result<InodePtr> inode_at(Tables& tables, const KeyPlace& place) {
    if (!place.entry) return InodePtr();
    return snapshot(tables, place.entry->inode);
}

// `inode`: of the key's entry, or null. It may be none that S3 knows.
Status check(const WriteConditions& conditions, const KeyPlace& place, const InodePtr& inode) {
    if (inode == nullptr || !is_object(*inode)) return check_conditions(conditions, nullptr);
    const Named named{*place.entry, inode.get()};
    return check_conditions(conditions, &named);
}

// Owner, mode and times of what a key makes.
void own(Inode& inode, const BucketRow& bucket, const KeyWrite& write) {
    inode.mode = inode.is_directory() ? bucket.directory_mode & kModeMask
                                      : bucket.file_mode & kPermissionMask;
    if (write.mode) inode.mode = *write.mode & kPermissionMask;
    inode.uid = write.owner ? write.owner->first : bucket.uid;
    inode.gid = write.owner ? write.owner->second : bucket.gid;
    inode.mtime = write.object.mtime != 0 ? write.object.mtime : write.time;
    inode.atime = inode.mtime;
    inode.ctime = write.time;
}

void describe(Inode& inode, const Inode& object) {
    inode.size = object.size;
    inode.etag = object.etag;
    inode.headers = object.headers;
    inode.checksums = object.checksums;
}

// `replaced`: what leaves its owner and mode, but never setuid: the new bytes come from elsewhere.
Inode fresh_file(const KeyWrite& write, const BucketRow& bucket, const Inode* replaced) {
    Inode inode;
    own(inode, bucket, write);
    if (replaced != nullptr && replaced->is_regular()) {
        inode.mode = replaced->mode & kPermissionMask;
        inode.uid = replaced->uid;
        inode.gid = replaced->gid;
    }
    inode.id = write.object.id;
    inode.nlink = 1;
    inode.btime = write.object.btime != 0 ? write.object.btime : write.time;
    inode.content_modified = write.time;
    inode.change = 1;
    inode.generation = std::max<std::uint64_t>(write.object.generation, 1);
    inode.bucket = bucket.inode;
    describe(inode, write.object);
    return inode;
}

// Makes `inode` of the nameless one with its id, which keeps its content.
Status take_prepared(Tables& tables, Inode inode) {
    TRY_ASSIGN(Inode* const prepared, edit(tables, inode.id));
    const bool is_it = prepared->is_regular() && prepared->nlink == 0 &&
                       prepared->bucket == inode.bucket && prepared->size == inode.size;
    if (!is_it) return Status::conflict(fmt::format("inode {} is not that content", inode.id));
    inode.change = prepared->change;
    inode.generation = prepared->generation;
    inode.extents_in_table = prepared->extents_in_table;
    inode.extents = std::move(prepared->extents);
    tables.erase_orphan(inode.id);
    *prepared = std::move(inode);
    return {};
}

Result<KeyTarget> begin_file(
    Tables& tables, const KeyPlace& place, InodeId parent, Inode inode, bool prepared) {
    if (inode.id == 0) inode.id = tables.next_id();
    inode.parent = parent;
    inode.name = place.name;
    KeyTarget target{.entry = {.parent = parent,
                               .name = inode.name,
                               .inode = inode.id,
                               .type = FileType::regular,
                               .cookie = place.entry ? place.entry->cookie : tables.next_id(),
                               .last_modified = inode.ctime},
                     .old = place.entry};
    if (prepared) {
        TRY(take_prepared(tables, std::move(inode)));
    } else {
        tables.add_inode(std::move(inode));
    }
    return target;
}

Result<KeyTarget> begin_marker(Tables& tables, InodeId id) {
    TRY_ASSIGN(const Inode* directory, tables.inode(id));
    TRY_ASSIGN(auto entry, tables.entry(directory->parent, directory->name));
    if (!entry) return Status::corruption(fmt::format("directory {} has no entry", id));
    return KeyTarget{.entry = *std::move(entry), .old = std::nullopt};
}

Status set_marker(Tables& tables, const KeyWrite& write, InodeId id) {
    TRY(change_directory(tables, id, {.marker = true}));
    TRY_ASSIGN(Inode* const directory, edit(tables, id));
    describe(*directory, write.object);
    ++directory->generation;
    directory->directory.marker_modified = write.time;
    directory->ctime = write.time;
    return set_parts(tables, id, write.parts);
}

Status swap_entry(Tables& tables, const KeyTarget& target, UnixNanos time) {
    if (!target.old) return add_name(tables, target.entry, {.time = time});
    TRY_ASSIGN(const Inode* inode, tables.inode(target.entry.inode));
    TRY_ASSIGN(const Inode* old, tables.inode(target.old->inode));
    DirectoryChange change{.time = time};
    change.count({target.entry, inode}, 1);
    change.count({*target.old, old}, -1);
    tables.put_entry(target.entry);
    TRY(change_directory(tables, target.entry.parent, change));
    return lose_name(tables, target.old->inode, time);
}

// DELETE of a key `a/`.
Status delete_directory_key(Tables& tables, const Entry& entry, UnixNanos time) {
    TRY_ASSIGN(const Inode* directory, tables.inode(entry.inode));
    if (!directory->directory.marker) {
        TRY(remove_name(tables, entry, {.time = time}));
        return prune(tables, entry.parent, time);
    }
    ContentEdit content(tables, *directory);
    TRY(content.cut(0, kFileBytesMax));
    TRY(content.finish());
    TRY(change_directory(tables, entry.inode, {.marker = false}));
    TRY_ASSIGN(Inode* const edited, edit(tables, entry.inode));
    describe(*edited, Inode());
    edited->etag = etag_of_nothing();
    ++edited->generation;
    edited->directory.marker_modified = 0;
    edited->ctime = time;
    TRY(set_parts(tables, entry.inode, {}));
    return prune(tables, entry.inode, time);
}

Status put_content(Tables& tables, const PutObjectOp& op, const KeyTarget& target) {
    TRY_ASSIGN(const bool too_much, is_too_much(tables, op.clones));
    if (too_much) return {Code::unsupported, "too many extents at once", Why::too_large};
    TRY_ASSIGN(const Inode* inode, tables.inode(target.entry.inode));
    const InodeId stripes_of = op.stripes_of != 0 ? op.stripes_of : inode->id;
    TRY_ASSIGN(std::uint64_t end,
               write_content(tables,
                             target.entry.inode,
                             {.content = op.content,
                              .clones = op.clones,
                              .generation = inode->generation + (target.marker() ? 1 : 0),
                              .replace_all = true,
                              .strange = stripes_of != inode->id}));
    for (const CloneRange& range : op.clones) end = std::max(end, range.offset + range.length);
    if (end > op.inode.size) return Status::invalid_argument("content beyond the object's size");
    return {};
}

}  // namespace

Result<KeyTarget> begin_key_write(Tables& tables, const KeyWrite& write, OpResult& result) {
    TRY(check_key(write.key));
    TRY_ASSIGN(const BucketRow bucket, find_bucket(tables, write.bucket));
    TRY_ASSIGN(const KeyPlace place, find_key(tables, write.bucket, write.key));
    TRY_ASSIGN(result.before, inode_at(tables, place));
    TRY(check(write.conditions, place, result.before));
    const InodePtr replaced = result.before;
    if (replaced != nullptr && replaced->is_directory() && !is_object(*replaced)) {
        result.before = nullptr;  // a marker that replaces no key
    }
    const auto names = split_key(write.key);
    const bool marker = write.key.ends_with('/');
    if (marker && write.prepared) {
        return Status::invalid_argument("the key of an object of so many pieces may not end in /");
    }
    const auto directories = std::span(names).first(names.size() - (marker ? 0 : 1));
    const InodeId last_id = marker ? write.object.id : 0;
    TRY_ASSIGN(const InodeId last,
               make_directories(tables, bucket, directories, write.time, last_id));
    if (!marker) {
        Inode fresh = fresh_file(write, bucket, replaced.get());
        return begin_file(tables, place, last, std::move(fresh), write.prepared);
    }
    if (!place.entry) {
        TRY_ASSIGN(Inode* const directory, edit(tables, last));
        own(*directory, bucket, write);
    }
    return begin_marker(tables, last);
}

Status finish_key_write(Tables& tables,
                        const KeyWrite& write,
                        const KeyTarget& target,
                        OpResult& result) {
    if (target.marker()) {
        TRY(set_marker(tables, write, target.entry.inode));
    } else {
        TRY(set_parts(tables, target.entry.inode, write.parts));
        TRY(swap_entry(tables, target, write.time));
    }
    result.entry = target.entry;
    TRY_ASSIGN(result.inode, snapshot(tables, target.entry.inode));
    return {};
}

Status apply_op(const PutObjectOp& op, Tables& tables, OpResult& result) {
    // First: the source may be what is replaced.
    std::vector<ObjectPart> parts;
    if (op.parts_of != 0) {
        TRY_ASSIGN(parts, tables.object_parts(op.parts_of));
    }
    Inode object = op.inode;
    if (op.prepared != 0) object.id = op.prepared;
    const KeyWrite write{.bucket = op.bucket,
                         .key = op.key,
                         .object = object,
                         .prepared = op.prepared != 0,
                         .parts = std::move(parts),
                         .mode = op.mode,
                         .owner = op.owner,
                         .conditions = op.conditions,
                         .time = op.time};
    if (op.inode.size > kFileBytesMax) {
        return Status::invalid_argument("a file has 2^63 - 1 bytes at most", Why::too_large);
    }
    TRY_ASSIGN(const KeyTarget target, begin_key_write(tables, write, result));
    if (op.prepared == 0) TRY(put_content(tables, op, target));
    return finish_key_write(tables, write, target, result);
}

Status apply_op(const PutHeadersOp& op, Tables& tables, OpResult& result) {
    TRY(check_key(op.key));
    TRY_ASSIGN(const BucketRow bucket, find_bucket(tables, op.bucket));
    TRY_ASSIGN(const KeyPlace place, find_key(tables, bucket.inode, op.key));
    TRY_ASSIGN(const InodePtr inode, inode_at(tables, place));
    if (inode == nullptr || !is_object(*inode)) return Status::not_found("the key does not exist");
    result.before = inode;
    TRY(check(op.conditions, place, inode));
    if (inode->generation != op.generation) return Status::conflict("the object has changed");
    Entry entry = *place.entry;
    entry.last_modified = op.time;
    tables.put_entry(entry);
    if (inode->is_directory()) TRY(change_directory(tables, inode->id, {.marker = true}));
    TRY_ASSIGN(Inode* const edited, edit(tables, entry.inode));
    edited->headers = op.headers;
    edited->ctime = op.time;
    if (inode->is_directory()) edited->directory.marker_modified = op.time;
    result.entry = std::move(entry);
    TRY_ASSIGN(result.inode, snapshot(tables, result.entry.inode));
    return {};
}

Status apply_op(const DeleteObjectOp& op, Tables& tables, OpResult& result) {
    TRY(check_key(op.key));
    TRY_ASSIGN(const BucketRow bucket, find_bucket(tables, op.bucket));
    TRY_ASSIGN(const KeyPlace place, find_key(tables, bucket.inode, op.key));
    TRY_ASSIGN(const InodePtr inode, inode_at(tables, place));
    TRY(check(op.conditions, place, inode));
    if (inode == nullptr || !is_object(*inode)) return {};
    // A directory that a mount made goes only when nothing is in it.
    if (inode->is_directory() && !listed_as_key(*inode)) return {};
    result.before = inode;
    result.entry = *place.entry;
    if (inode->is_directory()) return delete_directory_key(tables, *place.entry, op.time);
    TRY(remove_name(tables, *place.entry, {.time = op.time}));
    return prune(tables, place.entry->parent, op.time);
}

}  // namespace objstore
