#include "objstore/disk/local_disk.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include <doctest/doctest.h>
#include <unistd.h>

namespace objstore {

namespace {

// A directory of its own, removed at the end.
class TemporaryDirectory final {
public:
    TemporaryDirectory() {
        std::string pattern = std::filesystem::temp_directory_path() / "ashlar-disk-XXXXXX";
        REQUIRE(mkdtemp(pattern.data()) != nullptr);
        path_ = pattern;
    }
    ~TemporaryDirectory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    std::string operator/(const std::string& name) const { return path_ / name; }
    std::string path() const { return path_; }

private:
    std::filesystem::path path_;
};

std::unique_ptr<LocalDisk> open_disk(const std::string& path) {
    auto disk = LocalDisk::open(path);
    REQUIRE(disk.ok());
    return std::move(disk).value();
}

std::unique_ptr<File> open_file(Disk& disk, std::string_view path, OpenMode mode) {
    auto file = disk.open(path, mode);
    REQUIRE(file.ok());
    return std::move(file).value();
}

MutableBytes buffer_of(std::string& text) {
    return {reinterpret_cast<std::byte*>(text.data()), text.size()};
}

}  // namespace

TEST_CASE("a disk's directory is made with its parents when absent") {
    const TemporaryDirectory directory;
    const std::string path = directory / "a/b/c";
    CHECK(open_disk(path)->name() == path);
    CHECK(std::filesystem::is_directory(path));
    CHECK(open_disk(path + "/")->list("").value().empty());
}

TEST_CASE("a disk that is a file can not be opened") {
    const TemporaryDirectory directory;
    std::ofstream(directory / "file") << "x";
    CHECK(!LocalDisk::open(directory / "file").ok());
    CHECK(!LocalDisk::open(directory / "file/below").ok());
    CHECK(LocalDisk::open("").code() == Code::invalid_argument);
}

TEST_CASE("bytes written in many pieces are read back") {
    const TemporaryDirectory directory;
    const auto disk = open_disk(directory.path());
    const auto file = open_file(*disk, "f", OpenMode::create_new);
    // More pieces than the system takes at once, some of them empty.
    std::vector<std::string> texts;
    std::string expected;
    for (int i = 0; i < 3000; ++i)
        texts.push_back(std::string(static_cast<std::size_t>(i) % 5, 'a'));
    std::vector<Bytes> pieces;
    for (const std::string& text : texts) {
        pieces.push_back(as_bytes(text));
        expected += text;
    }
    REQUIRE(file->write_at(100, pieces).ok());
    REQUIRE(file->sync().ok());
    CHECK(file->size().value() == 100 + expected.size());
    std::string found(expected.size(), 'x');
    REQUIRE(file->read_at(100, buffer_of(found)).ok());
    CHECK(found == expected);
}

TEST_CASE("reads past the end are short, or an error where all was wanted") {
    const TemporaryDirectory directory;
    const auto disk = open_disk(directory.path());
    const auto file = open_file(*disk, "f", OpenMode::create);
    REQUIRE(file->write_at(0, as_bytes("abcd")).ok());
    std::string found(3, 'x');
    CHECK(file->read_some_at(2, buffer_of(found)).value() == 2);
    CHECK(file->read_some_at(9, buffer_of(found)).value() == 0);
    const Status error = file->read_at(2, buffer_of(found));
    CHECK(error.code() == Code::corruption);
    CHECK(error.message() == directory / "f" + ": ends at 4, wanted 3 bytes at 2");
    CHECK(!file->try_read_at(2, buffer_of(found)));
}

TEST_CASE("a read that needs no device may be answered at once, and is right then") {
    const TemporaryDirectory directory;
    const auto disk = open_disk(directory.path());
    const auto file = open_file(*disk, "f", OpenMode::create);
    REQUIRE(file->write_at(0, as_bytes("abcd")).ok());
    std::string found(4, 'x');
    // Not every file system can tell.
    if (file->try_read_at(0, buffer_of(found))) CHECK(found == "abcd");
}

TEST_CASE("allocating keeps the size, punching reads as zeros, truncating cuts") {
    const TemporaryDirectory directory;
    const auto disk = open_disk(directory.path());
    const auto file = open_file(*disk, "f", OpenMode::create);
    REQUIRE(file->write_at(0, as_bytes(std::string(8192, 'x'))).ok());
    CHECK(file->allocate(0, 1 << 20).ok());
    CHECK(file->size().value() == 8192);
    const Status punched = file->punch_hole(0, 4096);
    if (punched.code() != Code::unsupported) {
        REQUIRE(punched.ok());
        std::string found(2, 'y');
        REQUIRE(file->read_at(4095, buffer_of(found)).ok());
        CHECK(found == std::string("\0x", 2));
        CHECK(file->size().value() == 8192);
    }
    REQUIRE(file->truncate(10).ok());
    CHECK(file->size().value() == 10);
    file->start_write_out(0, 10);
    file->drop_cache(0, 10);
}

TEST_CASE("opening follows the mode") {
    const TemporaryDirectory directory;
    const auto disk = open_disk(directory.path());
    CHECK(disk->open("f", OpenMode::read).code() == Code::not_found);
    CHECK(disk->open("f", OpenMode::write).code() == Code::not_found);
    REQUIRE(disk->open("f", OpenMode::create_new).ok());
    CHECK(disk->open("f", OpenMode::create_new).code() == Code::already_exists);
    REQUIRE(disk->open("f", OpenMode::create).ok());
    const auto file = open_file(*disk, "f", OpenMode::read);
    const Status error = file->write_at(7, as_bytes("x"));
    CHECK(error.code() == Code::io_error);
    CHECK(error.message() == directory / "f" + ": pwrite at 7: Bad file descriptor");
}

TEST_CASE("no path leads out of the disk") {
    const TemporaryDirectory directory;
    const auto disk = open_disk(directory / "disk");
    std::ofstream(directory / "outside") << "x";
    std::filesystem::create_symlink(directory / "outside", directory / "disk/link");
    CHECK(disk->open("../outside", OpenMode::read).code() == Code::invalid_argument);
    CHECK(disk->open(directory / "outside", OpenMode::read).code() == Code::invalid_argument);
    CHECK(!disk->open("link", OpenMode::read).ok());
    CHECK(disk->rename("link", "../x").code() == Code::invalid_argument);
    CHECK(disk->remove("../outside").code() == Code::invalid_argument);
    CHECK(disk->list("..").code() == Code::invalid_argument);
    CHECK(disk->sync_dir("..").code() == Code::invalid_argument);
    CHECK(disk->make_dir("../new").code() == Code::invalid_argument);
}

TEST_CASE("names are made, listed, renamed and removed") {
    const TemporaryDirectory directory;
    const auto disk = open_disk(directory.path());
    REQUIRE(disk->make_dir("dir").ok());
    CHECK(disk->make_dir("dir").ok());
    REQUIRE(disk->open("a", OpenMode::create).ok());
    CHECK(disk->make_dir("a").code() == Code::already_exists);
    CHECK(disk->open("dir", OpenMode::read).code() == Code::io_error);
    auto names = disk->list("").value();
    std::sort(names.begin(), names.end());
    CHECK(names == std::vector<std::string>{"a", "dir/"});
    REQUIRE(disk->rename("a", "dir/b").ok());
    CHECK(disk->sync_dir("dir").ok());
    CHECK(disk->sync_dir("").ok());
    CHECK(disk->list("dir").value() == std::vector<std::string>{"b"});
    CHECK(disk->remove("dir").why() == Why::not_empty);
    CHECK(disk->remove("a").code() == Code::not_found);
    REQUIRE(disk->remove("dir/b").ok());
    REQUIRE(disk->remove("dir").ok());
    CHECK(disk->list("dir").code() == Code::not_found);
}

TEST_CASE("a disk tells its space") {
    const TemporaryDirectory directory;
    const auto space = open_disk(directory.path())->space();
    REQUIRE(space.ok());
    CHECK(space->total_bytes > 0);
    CHECK(space->free_bytes <= space->total_bytes);
}

TEST_CASE("only one server can lock a disk, and the refusal names the path and the holder") {
    const TemporaryDirectory directory;
    auto first = open_disk(directory.path());
    const auto second = open_disk(directory.path());
    REQUIRE(first->lock().ok());
    const Status refused = second->lock();
    CHECK(refused.code() == Code::unavailable);
    CHECK(refused.message() == directory.path() + ": another server (process " +
                                   std::to_string(getpid()) + ") has this disk open");
    first.reset();
    CHECK(second->lock().ok());
}

TEST_CASE("removing the lock file of a server lets no second one in") {
    const TemporaryDirectory directory;
    auto first = open_disk(directory.path());
    const auto second = open_disk(directory.path());
    REQUIRE(first->lock().ok());
    REQUIRE(first->remove(LocalDisk::kLockFile).ok());
    CHECK(second->lock().code() == Code::unavailable);
    first.reset();
    CHECK(second->lock().ok());
}

TEST_CASE("files stay usable after their disk object is gone, and by many threads") {
    const TemporaryDirectory directory;
    auto disk = open_disk(directory.path());
    const auto file = open_file(*disk, "f", OpenMode::create);
    disk.reset();
    std::vector<std::thread> threads;
    for (std::uint64_t i = 0; i < 4; ++i) {
        threads.emplace_back([&file, i] {
            const std::string text(100, static_cast<char>('a' + i));
            for (int n = 0; n < 50; ++n) (void)file->write_at(i * 100, as_bytes(text));
        });
    }
    for (std::thread& thread : threads) thread.join();
    std::string found(400, 'x');
    REQUIRE(file->read_at(0, buffer_of(found)).ok());
    CHECK(found.substr(300) == std::string(100, 'd'));
}

}  // namespace objstore
