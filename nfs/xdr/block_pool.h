#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

#include "objstore/base/bytes.h"
#include "objstore/base/guarded.h"

namespace nfs {

// Memory that outlives the call that filled it: a window of received records, or the data of a READ
// on its way to the socket. Shared, because workers hold on to the arguments of their calls while
// the connection receives on, and because a reply may be dropped or sent at any time.
using BlockRef = std::shared_ptr<objstore::Buffer>;

// Lends blocks of two sizes and keeps some free ones, since fresh memory costs a page fault for
// every 4 KiB. Threads: any. Must outlive its blocks.
class BlockPool final {
public:
    struct Options {
        std::size_t small_bytes = 128 * objstore::kKiB;
        std::size_t large_bytes = objstore::kMiB + 16 * objstore::kKiB;
        std::size_t free_bytes_max = 16 * objstore::kMiB;
    };
    explicit BlockPool(Options options);
    ~BlockPool();

    // A block of at least `size_bytes`, at most Options::large_bytes. Never fails, so that work
    // that has begun can end: who begins it sees to it that there is room.
    BlockRef take(std::size_t size_bytes);
    std::size_t lent_bytes() const { return lent_bytes_.load(std::memory_order_relaxed); }
    std::size_t large_bytes() const { return options_.large_bytes; }
    std::size_t small_bytes() const { return options_.small_bytes; }

private:
    struct State {
        std::size_t free_bytes = 0;
        std::vector<objstore::Buffer> small;
        std::vector<objstore::Buffer> large;
    };
    void give_back(objstore::Buffer* block);

    const Options options_;
    std::atomic<std::size_t> lent_bytes_{0};
    objstore::Guarded<State> state_;
};

}  // namespace nfs
