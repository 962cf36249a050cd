#include "fs/vfs/keep_alive.h"

#include "fs/vfs/vfs_fixture.h"

namespace fs {
namespace {

struct Kept {
    explicit Kept(KeepAlive::Options options)
        : nodes(f.store.engine().names()), keep_alive(options, f.clock) {
        first = f.make(f.nfs_root, f.bucket(), "first");
        second = f.make(f.nfs_root, f.bucket(), "second");
    }
    void use(InodeId inode) {
        const auto node = nodes.acquire(inode);
        REQUIRE(node.ok());
        keep_alive.used(*node);
    }
    bool keeps(InodeId inode) { return static_cast<bool>(nodes.find(inode)); }

    VfsFixture f;
    NodeTable nodes;
    KeepAlive keep_alive;
    InodeId first = 0, second = 0;
};

TEST_CASE("the oldest goes early when too many are kept, the rest when it stops") {
    Kept kept({.nodes_max = 1});
    kept.use(kept.first);
    kept.use(kept.first);
    CHECK(kept.keeps(kept.first));
    kept.use(kept.second);
    CHECK_FALSE(kept.keeps(kept.first));
    CHECK(kept.keeps(kept.second));
    kept.keep_alive.stop();
    CHECK_FALSE(kept.keeps(kept.second));
}

TEST_CASE("one that nobody uses is let go when its time has passed") {
    Kept kept({.time = std::chrono::seconds(0)});
    kept.use(kept.first);
    while (kept.keeps(kept.first)) std::this_thread::yield();
    kept.use(kept.first);
    while (kept.keeps(kept.first)) std::this_thread::yield();
}

}  // namespace
}  // namespace fs
