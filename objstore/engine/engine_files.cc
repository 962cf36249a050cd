// The engine's calls for files by inode.
#include <algorithm>

#include "objstore/engine/content_map.h"
#include "objstore/engine/local_engine.h"

namespace objstore {

namespace {

std::size_t bytes_there(const Inode& inode, std::uint64_t offset, std::size_t wanted) {
    if (offset >= inode.size) return 0;
    return static_cast<std::size_t>(std::min<std::uint64_t>(wanted, inode.size - offset));
}

}  // namespace

Result<std::size_t> LocalEngine::read(InodeId inode, std::uint64_t offset, MutableBytes out) {
    const Pins::Pin pin = pins_.acquire();
    // Twice: what was resolved may have been packed elsewhere just then.
    for (int attempt = 0;; ++attempt) {
        TRY_ASSIGN(const auto map, meta_.content(inode, offset, offset + out.size()));
        const std::size_t count = bytes_there(*map.inode, offset, out.size());
        Status status = read_content(volumes_, map, offset, out.first(count));
        if (status.ok()) return count;
        if (status.code() != Code::not_found || attempt > 0) return status;
    }
}

std::optional<std::size_t> LocalEngine::try_read(InodeId inode,
                                                 std::uint64_t offset,
                                                 MutableBytes out) {
    const Pins::Pin pin = pins_.acquire();
    const auto map = meta_.cached_content(inode, offset, offset + out.size());
    if (!map) return std::nullopt;
    const std::size_t count = bytes_there(*map->inode, offset, out.size());
    if (!try_read_content(volumes_, *map, offset, out.first(count))) return std::nullopt;
    return count;
}

Result<OpResult> LocalEngine::write(WriteOp op,
                                    std::span<const WritePiece> pieces,
                                    CallOptions options) {
    TRY_ASSIGN(const InodePtr inode, meta_.getattr(op.inode));
    std::vector<Placement> placements;
    for (const WritePiece& piece : pieces) {
        const Owner owner{inode->id, inode->generation + 1, piece.offset};
        placements.push_back({0, owner, piece.bytes});
        op.size_at_least = std::max(op.size_at_least, piece.offset + piece.bytes.size());
    }
    Txn txn{.durable = options.durable};
    txn.ops.emplace_back(std::move(op));
    return commit(std::move(txn), std::move(placements), options.door);
}

Result<OpResult> LocalEngine::write_content(WriteOp op,
                                            std::unique_ptr<ContentWriter> content,
                                            CallOptions options) {
    std::vector<Placement> placements;
    TRY(take_content(*content, op.content, placements));
    const std::uint64_t end = content->owner().logical_offset + content->size();
    op.size_at_least = std::max(op.size_at_least, end);
    Txn txn{.durable = options.durable};
    txn.ops.emplace_back(std::move(op));
    return commit(std::move(txn), std::move(placements), options.door);
}

}  // namespace objstore
