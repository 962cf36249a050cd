// LocalVfs: holes, shared ranges, data and holes found.
#include <algorithm>

#include <fmt/format.h>

#include "fs/vfs/local_file.h"
#include "fs/vfs/permission.h"
#include "objstore/meta/extent_steps.h"

namespace fs {

using objstore::InodePtr;
using objstore::Why;

namespace {

// What one copy_range shares at most: a transaction is not to grow with the file.
constexpr std::uint64_t kShareBytesMax = 1024 * objstore::kMiB;
constexpr int kShareAttempts = 5;

Status no_more(std::uint64_t offset) {
    return Status::invalid_argument(fmt::format("nothing from {} on", offset), Why::invalid_range);
}

}  // namespace

Status LocalVfs::allocate(const Credentials& who,
                          InodeId id,
                          AllocateMode mode,
                          std::pair<std::uint64_t, std::uint64_t> offset_and_length) {
    const auto [offset, length] = offset_and_length;
    if (length == 0) return Status::invalid_argument("a range of no bytes");
    if (offset > kFileBytesMax || length > kFileBytesMax - offset) {
        return Status::invalid_argument("a file has 2^63 - 1 bytes at most", Why::too_large);
    }
    TRY(regular(who, id, kMayWrite).error());
    TRY_ASSIGN(const NodeRef node, use(who, id));
    const Range range{offset, offset + length};
    switch (mode) {
        case AllocateMode::keep_size:
            return {};
        case AllocateMode::extend:
            return extend(who, node, range.to);
        case AllocateMode::punch:
        case AllocateMode::zero_keep:
            return zero_range(who, node, range);
        case AllocateMode::zero:
            TRY(zero_range(who, node, range));
            return extend(who, node, range.to);
    }
    UNREACHABLE();
}

Status LocalVfs::zero_range(const Credentials& who, const NodeRef& node, Range range) {
    objstore::PunchOp op;
    op.inode = node->inode;
    op.offset = range.from;
    op.length = range.to - range.from;
    op.time = deps_.clock.now();
    return write_back_.punch(*node, op, call_options(who)).error();
}

Status LocalVfs::extend(const Credentials& who, const NodeRef& node, std::uint64_t size) {
    TRY_ASSIGN(const Attributes now, getattr(node->inode));
    if (now.size >= size) return {};
    objstore::WriteOp op;
    op.inode = node->inode;
    op.size_at_least = size;
    op.time = deps_.clock.now();
    return write_back_.share(*node, std::move(op), call_options(who)).error();
}

Result<std::uint64_t> LocalVfs::copy_range(const Credentials& who, const CopyRange& range) {
    if (range.source_offset > kFileBytesMax || range.target_offset > kFileBytesMax) {
        return Status::invalid_argument("beyond any file", Why::too_large);
    }
    CopyRange some = range;
    some.length = std::min({range.length, kShareBytesMax, kFileBytesMax - range.target_offset});
    const bool overlap = range.source == range.target &&
                         range.source_offset < range.target_offset + some.length &&
                         range.target_offset < range.source_offset + some.length;
    if (overlap) return Status::invalid_argument("the ranges overlap");
    TRY(regular(who, range.source, kMayRead).error());
    TRY(regular(who, range.target, kMayWrite).error());
    if (who.uid != 0) TRY(clear_setid(who, range.target));
    TRY_ASSIGN(const NodeRef target, use(who, range.target));
    for (int attempt = 1;; ++attempt) {
        if (const NodeRef source = nodes_.find(range.source)) {
            TRY(write_back_.flush(*source));
        }
        TRY(write_back_.flush(*target));
        auto shared = share_once(who, target, some);
        const bool moved_on = shared.code() == objstore::Code::conflict;
        if (!moved_on || attempt == kShareAttempts) return shared;
    }
}

Result<std::uint64_t> LocalVfs::share_once(const Credentials& who,
                                           const NodeRef& target,
                                           const CopyRange& range) {
    TRY_ASSIGN(const InodePtr source, names().getattr(range.source));
    if (range.source_offset >= source->size) return std::uint64_t{0};
    std::uint64_t length = std::min(range.length, source->size - range.source_offset);
    if (length == 0) return std::uint64_t{0};
    for (const auto& [id, from] : {std::pair(range.source, range.source_offset),
                                   std::pair(range.target, range.target_offset)}) {
        TRY_ASSIGN(const std::uint64_t end, objstore::step_end(names(), id, {from, from + length}));
        length = end - from;
    }
    objstore::WriteOp op;
    op.inode = range.target;
    op.clones.push_back({.source = range.source,
                         .source_generation = source->generation,
                         .source_offset = range.source_offset,
                         .length = length,
                         .offset = range.target_offset});
    op.size_at_least = range.target_offset + length;
    op.time = deps_.clock.now();
    TRY(write_back_.share(*target, std::move(op), call_options(who)).error());
    return length;
}

Result<std::uint64_t> LocalVfs::seek_data(InodeId inode, std::uint64_t offset) {
    return seek(inode, offset, true);
}

Result<std::uint64_t> LocalVfs::seek_hole(InodeId inode, std::uint64_t offset) {
    return seek(inode, offset, false);
}

Result<std::uint64_t> LocalVfs::seek(InodeId id, std::uint64_t offset, bool data) {
    if (const NodeRef node = nodes_.find(id)) TRY(write_back_.flush(*node));
    const std::size_t limit = data ? 1 : objstore::kStepExtents;
    std::uint64_t at = offset;
    while (true) {
        TRY_ASSIGN(const auto map, names().extents(id, at, limit));
        const std::uint64_t size = map.inode->size;
        if (offset >= size || (data && map.extents.empty())) return no_more(offset);
        for (const objstore::Extent& extent : map.extents) {
            if (data) return std::min(std::max(at, extent.logical_offset), size);
            if (extent.logical_offset > at) return at;
            at = extent.end();
        }
        if (map.extents.size() < limit) return std::min(at, size);
    }
}

}  // namespace fs
