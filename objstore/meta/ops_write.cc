// Content changed in place: write, truncate, punch.
#include <algorithm>

#include <fmt/format.h>

#include "objstore/meta/ops_apply.h"
#include "objstore/meta/ops_attributes.h"
#include "objstore/meta/ops_content.h"
#include "objstore/meta/ops_tree.h"

namespace objstore {

namespace {

Status too_large() {
    return Status::invalid_argument("a file has 2^63 - 1 bytes at most", Why::too_large);
}

// The file, also one that has lost its name but is open. Its state goes into `result.before`.
Result<const Inode*> find_file(Tables& tables, InodeId id, OpResult& result) {
    TRY_ASSIGN(const Inode* inode, tables.inode(id));
    if (inode->is_directory()) {
        return Status::conflict(fmt::format("inode {} is a directory", id), Why::is_directory);
    }
    if (!inode->is_regular()) {
        return Status::invalid_argument(fmt::format("inode {} has no content", id));
    }
    result.before = std::make_shared<const Inode>(*inode);
    return inode;
}

// What every change of content does to a file's record. Stored checksums and part borders were of
// the old bytes, and a client must not take the new ETag for an MD5.
Status content_changed(Tables& tables, InodeId id, std::uint64_t size, UnixNanos time) {
    TRY_ASSIGN(Inode* const inode, edit(tables, id));
    inode->size = size;
    ++inode->generation;
    inode->etag = derived_etag(id, inode->generation);
    inode->checksums.clear();
    inode->content_modified = time;
    inode->mtime = inode->ctime = time;
    return set_parts(tables, id, {});
}

Status finish(Tables& tables, InodeId id, bool clear_setid, OpResult& result) {
    if (clear_setid) {
        TRY_ASSIGN(Inode* const inode, edit_quietly(tables, id));
        drop_setid(*inode);
    }
    TRY_ASSIGN(result.inode, snapshot(tables, id));
    return {};
}

bool is_nothing(const WriteOp& op) {
    const auto empty = [](const NewContent::Inline& bytes) { return bytes.bytes.empty(); };
    const auto& inlines = op.content.inlines;
    return op.content.extents.empty() && op.clones.empty() &&
           std::all_of(inlines.begin(), inlines.end(), empty);
}

}  // namespace

Status apply_op(const PrepareContentOp& op, Tables& tables, OpResult& result) {
    Inode inode;
    inode.id = op.inode != 0 ? op.inode : tables.next_id();
    inode.type = FileType::regular;
    inode.bucket = op.bucket;
    inode.atime = inode.mtime = inode.ctime = inode.btime = op.time;
    inode.change = inode.generation = 1;
    tables.put_orphan({inode.id, op.time});
    result.inode = std::make_shared<const Inode>(*tables.add_inode(std::move(inode)));
    return {};
}

Status apply_op(const WriteOp& op, Tables& tables, OpResult& result) {
    TRY_ASSIGN(const Inode* inode, find_file(tables, op.inode, result));
    const std::uint64_t size_before = inode->size;
    const std::uint64_t generation = inode->generation + 1;  // content_changed
    if (op.size_at_least > kFileBytesMax) return too_large();
    if (!is_nothing(op) || op.size_at_least > size_before) {
        TRY_ASSIGN(
            std::uint64_t end,
            write_content(tables,
                          op.inode,
                          {.content = op.content, .clones = op.clones, .generation = generation}));
        for (const CloneRange& range : op.clones) end = std::max(end, range.offset + range.length);
        const std::uint64_t size = std::max({size_before, op.size_at_least, end});
        TRY(content_changed(tables, op.inode, size, op.time));
    }
    return finish(tables, op.inode, op.clear_setid, result);
}

Status apply_op(const TruncateOp& op, Tables& tables, OpResult& result) {
    TRY_ASSIGN(const Inode* inode, find_file(tables, op.inode, result));
    if (op.size > kFileBytesMax) return too_large();
    if (op.size == inode->size) {
        // POSIX wants the times, but the content is what it was.
        TRY_ASSIGN(Inode* const edited, edit(tables, op.inode));
        edited->mtime = edited->ctime = op.time;
        return finish(tables, op.inode, op.clear_setid, result);
    }
    if (op.size < inode->size) {
        ContentEdit content(tables, *inode);
        TRY(content.cut(op.size, kFileBytesMax));
        TRY(content.finish());
    }
    TRY(content_changed(tables, op.inode, op.size, op.time));
    return finish(tables, op.inode, op.clear_setid, result);
}

Status apply_op(const PunchOp& op, Tables& tables, OpResult& result) {
    TRY_ASSIGN(const Inode* inode, find_file(tables, op.inode, result));
    if (op.offset > kFileBytesMax || op.length > kFileBytesMax - op.offset) return too_large();
    const std::uint64_t size = inode->size;
    const std::uint64_t to = std::min(op.offset + op.length, size);
    if (op.offset < to) {
        ContentEdit content(tables, *inode);
        TRY(content.cut(op.offset, to));
        TRY(content.finish());
        TRY(content_changed(tables, op.inode, size, op.time));
    }
    return finish(tables, op.inode, false, result);
}

}  // namespace objstore
