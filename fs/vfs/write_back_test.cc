#include "fs/vfs/write_back.h"

#include "fs/vfs/vfs_fixture.h"

namespace fs {
namespace {

using objstore::Code;

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
