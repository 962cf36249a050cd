#include "nfs/xdr/block_pool.h"

namespace nfs {

using objstore::Buffer;

BlockPool::BlockPool(Options options) : options_(options) {
    ASSERT(options_.small_bytes <= options_.large_bytes);
}

BlockPool::~BlockPool() {
    ASSERT(lent_bytes() == 0);
}

BlockRef BlockPool::take(std::size_t size_bytes) {
    ASSERT(size_bytes <= options_.large_bytes);
    const bool is_small = size_bytes <= options_.small_bytes;
    const std::size_t block_bytes = is_small ? options_.small_bytes : options_.large_bytes;
    Buffer found = state_.with([&](State& state) {
        auto& free_blocks = is_small ? state.small : state.large;
        if (free_blocks.empty()) return Buffer();
        Buffer block = std::move(free_blocks.back());
        free_blocks.pop_back();
        state.free_bytes -= block_bytes;
        return block;
    });
    if (found.empty()) found = Buffer(block_bytes);
    lent_bytes_ += block_bytes;
    auto* block = std::make_unique<Buffer>(std::move(found)).release();
    return BlockRef(block, [this](Buffer* returned) { give_back(returned); });
}

void BlockPool::give_back(Buffer* block) {
    const std::unique_ptr<Buffer> owned(block);  // freed outside the lock
    const std::size_t block_bytes = owned->size();
    ASSERT(lent_bytes() >= block_bytes);
    lent_bytes_ -= block_bytes;
    state_.with([&](State& state) {
        if (state.free_bytes + block_bytes > options_.free_bytes_max) return;
        state.free_bytes += block_bytes;
        (block_bytes == options_.small_bytes ? state.small : state.large)
            .push_back(std::move(*owned));
    });
}

}  // namespace nfs
