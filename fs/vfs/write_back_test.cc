#include "fs/vfs/write_back.h"

#include <array>
#include <thread>

#include "fs/vfs/vfs_fixture.h"

namespace fs {
namespace {

using objstore::Code;
using tests::check_error;
using tests::SimDisk;
using tests::SimFailure;

TEST_CASE("what is written is read and counted at once, and stored at the flush") {
    VfsFixture f;
    const auto file = f.create("f");
    f.write(*file, 5, "hello");
    CHECK(f.read(*file) == std::string(5, '\0') + "hello");
    CHECK(f.vfs().getattr(file->inode())->size == 10);
    CHECK(f.store.read("f").value() == "");
    REQUIRE(file->flush().ok());
    CHECK(f.store.read("f").value() == std::string(5, '\0') + "hello");
    CHECK(f.vfs().getattr(file->inode())->size == 10);
}

TEST_CASE("small and large writes over each other come out as the last ones left them") {
    VfsFixture f;
    const auto file = f.create("f");
    std::string model;
    std::uint64_t seed = 1;
    const auto write = [&](std::size_t offset, std::size_t size) {
        const std::string bytes = tests::some_bytes(size, seed++);
        f.write(*file, offset, bytes);
        if (model.size() < offset + size) model.resize(offset + size);
        model.replace(offset, size, bytes);
    };
    write(0, 3'000'000);
    write(1000, 10);
    REQUIRE(file->flush().ok());
    write(2'999'990, 100);
    write(500'000, 1'500'000);
    CHECK((f.read(*file) == model));
    REQUIRE(file->flush().ok());
    CHECK((f.read(*file) == model));
    CHECK((f.store.read("f").value() == model));
}

TEST_CASE("an append goes to the true end, wherever the caller thinks it is") {
    VfsFixture f;
    const auto file = f.create("f");
    f.write(*file, 0, "one");
    const auto appended = file->write(0, objstore::as_bytes("two"), {.append = true});
    REQUIRE(appended.ok());
    CHECK(appended->offset == 3);
    CHECK(f.read(*file) == "onetwo");
}

TEST_CASE("a truncation takes waiting bytes with it and leaves those before") {
    VfsFixture f;
    const auto file = f.create("f");
    f.write(*file, 0, "0123456789");
    SetAttributes size;
    size.size = 4;
    REQUIRE(f.vfs().setattr(f.mount, file->inode(), size, file.get()).ok());
    CHECK(f.read(*file) == "0123");
    f.write(*file, 6, "x");
    CHECK(f.read(*file) == std::string("0123\0\0x", 7));
    REQUIRE(file->sync().ok());
    CHECK(f.store.read("f").value() == std::string("0123\0\0x", 7));
}

TEST_CASE("times set after a write are not moved by storing it") {
    VfsFixture f;
    const auto file = f.create("f");
    f.clock.advance(std::chrono::hours(1));
    f.write(*file, 0, "x");
    SetAttributes times;
    times.mtime = 12345;
    REQUIRE(f.vfs().setattr(f.mount, file->inode(), times, nullptr).ok());
    REQUIRE(file->flush().ok());
    CHECK(f.vfs().getattr(file->inode())->mtime == 12345);
}

TEST_CASE("the time of a write is that of the call, before and after it is stored") {
    VfsFixture f;
    const auto file = f.create("f");
    f.clock.advance(std::chrono::hours(1));
    f.write(*file, 0, "x");
    const UnixNanos written = f.vfs().getattr(file->inode())->mtime;
    CHECK(written == f.clock.now());
    f.clock.advance(std::chrono::hours(1));
    REQUIRE(file->flush().ok());
    CHECK(f.vfs().getattr(file->inode())->mtime == written);
}

TEST_CASE("a failed flush is told once to each that has the file open, at flush or sync") {
    VfsFixture f;
    const auto first = f.create("f");
    auto second = f.vfs().open(f.mount, first->inode(), {true, true, false});
    REQUIRE(second.ok());
    REQUIRE(first->sync().ok());
    const std::uint64_t verifier = f.vfs().write_verifier();
    f.write(*first, 0, "lost");
    f.store.world().cut_power();
    CHECK_FALSE(first->flush().ok());
    CHECK(first->flush().ok());
    CHECK_FALSE((*second)->sync().ok());
    CHECK(f.vfs().write_verifier() != verifier);
    CHECK(f.vfs().getattr(first->inode())->size == 0);
}

TEST_CASE("writers wait while too many bytes do, and lose nothing") {
    VfsFixture f;
    f.close();
    LocalVfs::Options options;
    options.write_back.total_bytes_max = 2 * objstore::kMiB;
    options.write_back.file_bytes_max = 3 * objstore::kMiB;
    options.write_back.flush_bytes = objstore::kMiB;
    f.open(options);
    std::vector<std::thread> writers;
    writers.reserve(3);
    for (int w = 0; w < 3; ++w) {
        writers.emplace_back([&, w] {
            CreateRequest request;
            request.open = OpenFlags{true, true, false};
            const auto made = f.vfs().create(f.mount, f.bucket(), "f" + std::to_string(w), request);
            for (std::size_t i = 0; i < 30; ++i) {
                const std::string bytes(200'000, static_cast<char>('a' + i % 26));
                (void)made->file->write(i * bytes.size(), objstore::as_bytes(bytes), {});
            }
            (void)made->file->sync();
        });
    }
    for (std::thread& writer : writers) writer.join();
    for (int w = 0; w < 3; ++w) {
        const std::string found = f.store.read("f" + std::to_string(w)).value_or("");
        REQUIRE(found.size() == 30 * 200'000);
        for (std::size_t i = 0; i < 30; ++i) {
            REQUIRE(found[i * 200'000 + 7] == static_cast<char>('a' + i % 26));
        }
    }
}

TEST_CASE("stopping stores what waits, and what is written later is stored by its writer") {
    VfsFixture f;
    const auto file = f.create("f");
    f.write(*file, 0, "waits");
    REQUIRE(static_cast<LocalVfs&>(f.vfs()).stop().ok());
    CHECK(f.store.read("f").value() == "waits");
    f.write(*file, 5, " late");
    CHECK(f.store.read("f").value() == "waits late");
}

TEST_CASE("a stable write whose bytes another's flush lost is not acknowledged") {
    VfsFixture f;
    const InodeId file = f.make(f.nfs_root, f.bucket(), "f");
    NodeTable nodes(f.store.engine().names());
    spdlog::logger log("test", std::make_shared<spdlog::sinks::null_sink_mt>());
    WriteBack write_back({}, {f.store.engine(), nodes, f.clock, log});
    const NodeRef node = std::move(*nodes.acquire(file));
    const auto mine = write_back.write(node, {0, false, Door::nfs}, objstore::as_bytes("mine"));
    REQUIRE(mine.ok());
    f.store.world().cut_power();
    CHECK_FALSE(write_back.flush(*node).ok());  // The other's, which carries both.
    CHECK(write_back.flush(*node).ok());        // Nothing is left to store.
    CHECK_FALSE(write_back.flush(*node, mine->failures).ok());
}

TEST_CASE("a stable write that has to make room hears when that fails") {
    VfsFixture f;
    f.close();
    LocalVfs::Options options;
    options.write_back.file_bytes_max = 1;
    f.open(options);
    const InodeId file = f.make(f.nfs_root, f.bucket(), "f");
    const Vfs::WriteAt at{file, 0, Stability::file_sync};
    f.store.world().cut_power();
    CHECK_FALSE(f.vfs().write(f.nfs_root, at, objstore::as_bytes("lost")).ok());
}

TEST_CASE("whatever was acknowledged as stable while the disks filled up is there") {
    constexpr std::size_t kWriters = 6;
    constexpr std::size_t kBytes = 64 * objstore::kKiB;
    VfsFixture f;
    const InodeId file = f.make(f.nfs_root, f.bucket(), "f");
    for (std::size_t i = 0; i < f.store.world().disk_count(); ++i) {
        SimDisk& disk = f.store.world().disk(i);
        const auto space = disk.space();
        REQUIRE(space.ok());
        disk.set_capacity(space->total_bytes - space->free_bytes + 2 * objstore::kMiB);
    }
    std::array<std::vector<std::size_t>, kWriters> acknowledged;
    std::vector<std::thread> writers;
    for (std::size_t w = 0; w < kWriters; ++w) {
        writers.emplace_back([&, w] {
            for (std::size_t i = w; i < 40 * kWriters; i += kWriters) {
                const std::string bytes = tests::some_bytes(kBytes, i);
                const Vfs::WriteAt at{file, i * kBytes, Stability::file_sync};
                if (f.vfs().write(f.nfs_root, at, objstore::as_bytes(bytes)).ok()) {
                    acknowledged[w].push_back(i);
                }
            }
        });
    }
    for (std::thread& writer : writers) writer.join();
    std::string found(kBytes, '\0');
    std::size_t count = 0;
    for (const auto& list : acknowledged) {
        count += list.size();
        for (const std::size_t i : list) {
            CAPTURE(i);
            const auto got = f.vfs().read(
                f.nfs_root, file, i * kBytes, std::as_writable_bytes(std::span(found)));
            REQUIRE(got.ok());
            CHECK((found == tests::some_bytes(kBytes, i)));
        }
    }
    CHECK(count > 0);
    CHECK(count < 40 * kWriters);
}

TEST_CASE("a commit tells of a flush that failed in the background, once") {
    VfsFixture f;
    const InodeId file = f.make(f.nfs_root, f.bucket(), "f");
    const Vfs::WriteAt at{file, 0, Stability::unstable};
    REQUIRE(f.vfs().write(f.nfs_root, at, objstore::as_bytes("lost")).ok());
    f.fail_writes(SimFailure::no_space);
    CHECK_FALSE(f.vfs().sync().ok());  // As the flusher does: somebody else's flush.
    check_error(f.vfs().commit(f.nfs_root, file).error(), Code::no_space);
    CHECK(f.vfs().commit(f.nfs_root, file).ok());
}

TEST_CASE("unstable writes are refused while storing fails, and taken again after it") {
    VfsFixture f;
    const InodeId file = f.make(f.nfs_root, f.bucket(), "f");
    const Vfs::WriteAt at{file, 0, Stability::unstable};
    const auto write = [&] { return f.vfs().write(f.nfs_root, at, objstore::as_bytes("x")); };
    REQUIRE(write().ok());
    f.fail_writes(SimFailure::no_space);
    CHECK_FALSE(f.vfs().sync().ok());
    check_error(write().error(), Code::no_space);
    f.clear_faults();
    REQUIRE(write().ok());
    CHECK(f.vfs().commit(f.nfs_root, file).ok());
    CHECK(f.store.read("f").value() == "x");
}

TEST_CASE("stopping tells of what could not be stored") {
    VfsFixture f;
    const auto file = f.create("f");
    f.write(*file, 0, "lost");
    f.store.world().cut_power();
    CHECK_FALSE(static_cast<LocalVfs&>(f.vfs()).stop().ok());
}

TEST_CASE("a size that was asked for before a clone is not noted after it") {
    VfsFixture f;
    const InodeId file = f.make(f.nfs_root, f.bucket(), "f");
    NodeTable nodes(f.store.engine().names());
    spdlog::logger log("test", std::make_shared<spdlog::sinks::null_sink_mt>());
    WriteBack write_back({}, {f.store.engine(), nodes, f.clock, log});
    const NodeRef node = std::move(*nodes.acquire(file));
    objstore::WriteOp op;
    op.inode = file;
    op.size_at_least = 100'000;
    op.time = f.clock.now();
    REQUIRE(write_back.share(*node, op, {}).ok());
    // What a writer has asked for meanwhile is dropped when the size is known.
    node->state.with([](const Node::State& state) {
        CHECK(state.size_known);
        CHECK(state.size == 100'000);
    });
}

// The prefix rule of semantics, section 1: what was closed is there; what came later may be, in
// order; no byte is from nowhere.
TEST_CASE("what was closed survives a power cut at every point") {
    const std::string bytes = tests::some_bytes(3000, 9);
    bool cut = true;
    for (std::uint64_t crash_at = 0; cut; ++crash_at) {
        CAPTURE(crash_at);
        VfsFixture f(tests::test_seed(crash_at + 1));
        f.store.cut_power_after(crash_at);
        CreateRequest request;
        request.open = OpenFlags{true, true, false};
        bool closed = false;
        if (auto made = f.vfs().create(f.mount, f.bucket(), "f", request); made.ok()) {
            closed = made->file->write(0, objstore::as_bytes(bytes), {}).ok() &&
                     made->file->flush().ok();
        }
        cut = f.store.power_was_cut();
        REQUIRE(f.power_cycle().ok());
        const auto found = f.store.read("f");
        if (closed) {
            CHECK(found.value_or("") == bytes);
        } else if (found.ok()) {
            CHECK((found->empty() || *found == bytes));
        } else {
            CHECK(found.code() == Code::not_found);
        }
    }
}

TEST_CASE("a patch within a file is stored whole or not at all, at every crash point") {
    const std::string before = tests::some_bytes(20'000, 1);
    const std::string patch = tests::some_bytes(4096, 2);
    std::string after = before;
    after.replace(8192, patch.size(), patch);
    bool cut = true;
    for (std::uint64_t crash_at = 0; cut; ++crash_at) {
        CAPTURE(crash_at);
        VfsFixture f(tests::test_seed(crash_at + 1));
        REQUIRE(f.store.put("f", before).ok());
        const InodeId inode = f.vfs().lookup(f.mount, f.bucket(), "f")->inode;
        auto file = f.vfs().open(f.mount, inode, {true, true, false});
        REQUIRE(file.ok());
        f.store.cut_power_after(crash_at);
        const bool synced =
            (*file)->write(8192, objstore::as_bytes(patch), {}).ok() && (*file)->sync().ok();
        cut = f.store.power_was_cut();
        file->reset();
        REQUIRE(f.power_cycle().ok());
        const std::string found = f.store.read("f").value_or("gone");
        CHECK((found == after || (!synced && found == before)));
    }
}

}  // namespace
}  // namespace fs
