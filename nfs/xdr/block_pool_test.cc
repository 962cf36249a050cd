#include "nfs/xdr/block_pool.h"

#include <doctest/doctest.h>

using namespace nfs;

namespace {

BlockPool::Options small_pool() {
    return {.small_bytes = 4096, .large_bytes = 16384, .free_bytes_max = 16384};
}

}  // namespace

TEST_CASE("a block that came back is lent again") {
    BlockPool pool(small_pool());
    BlockRef block = pool.take(100);
    CHECK(block->size() == 4096);
    const auto* memory = block->data();
    block.reset();
    CHECK(pool.take(4096)->data() == memory);
    CHECK(pool.take(4097)->size() == 16384);
}

TEST_CASE("the pool counts what is out") {
    BlockPool pool(small_pool());
    const BlockRef first = pool.take(16384);
    CHECK(pool.lent_bytes() == 16384);
    BlockRef second = pool.take(1);
    CHECK(pool.lent_bytes() == 20480);
    second.reset();
    CHECK(pool.lent_bytes() == 16384);
}
