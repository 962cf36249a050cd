// What another door changes, the mount shows when that door is answered, past the kernel's caches.
#include <atomic>
#include <thread>

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "objstore/base/bytes.h"
#include "tests/posix/shell.h"

namespace tests {
namespace {

using objstore::Door;

// One store with what S3 and NFS would do to it.
struct Doors {
    explicit Doors(MountedStore& mounted_store) : store(mounted_store) {
        const auto row = store.engine().bucket("b");
        REQUIRE(row.ok());
        bucket = row->inode;
        nfs.door = Door::nfs;
    }

    void put(const std::string& key, const std::string& bytes) {
        auto content = store.engine().new_object(bucket, key, bytes.size());
        REQUIRE(content->write(objstore::as_bytes(bytes)).ok());
        const auto done = store.engine().put(bucket, key, std::move(content), {});
        INFO(std::string(done.error().message()));
        REQUIRE(done.ok());
    }
    void remove(const std::string& key) {
        objstore::DeleteObjectOp op;
        op.bucket = bucket;
        op.key = key;
        op.time = 1;
        REQUIRE(store.engine().apply(std::move(op), {.door = Door::s3}).ok());
    }
    fs::InodeId inode(const std::string& key) {
        const auto found = store.vfs().lookup(nfs, bucket, key);
        REQUIRE(found.ok());
        return found->inode;
    }

    // As a program sees it; nothing: it is not there.
    std::optional<struct stat> stat(const std::string& name) const {
        struct stat st {};
        if (::stat(path(name).c_str(), &st) == 0) return st;
        CHECK(errno == ENOENT);
        return std::nullopt;
    }
    std::string read(const std::string& name) const {
        const int fd = ::open(path(name).c_str(), O_RDONLY);
        if (fd < 0) return "cannot open";
        const std::string found = read_at(fd, 0);
        ::close(fd);
        return found;
    }
    static std::string read_at(int fd, off_t offset) {
        std::string found(100'000, '\0');
        const ssize_t got = ::pread(fd, found.data(), found.size(), offset);
        REQUIRE(got >= 0);
        found.resize(static_cast<std::size_t>(got));
        return found;
    }
    std::string path(const std::string& name) const { return store.bucket_dir() + "/" + name; }

    MountedStore& store;
    objstore::InodeId bucket = 0;
    fs::Credentials nfs;
};

TEST_CASE("an object that S3 puts, overwrites and removes is seen so at once") {
    const auto store = mounted();
    if (!store) return;
    Doors doors(*store);
    for (int i = 0; i < 100; ++i) {
        const std::string key = fmt::format("k{}", i % 7);
        const std::string bytes(static_cast<std::size_t>(i * 50), static_cast<char>('a' + i % 26));
        doors.put(key, bytes);
        REQUIRE(doors.stat(key).has_value());
        REQUIRE(doors.stat(key)->st_size == std::ssize(bytes));
        REQUIRE(doors.read(key) == bytes);
        if (i % 3 != 0) continue;
        doors.remove(key);
        REQUIRE_FALSE(doors.stat(key).has_value());
        REQUIRE(doors.read(key) == "cannot open");
    }
    CHECK(store->mount().stats().timed_out == 0);
    CHECK(store->mount().stats().told > 0);
}

TEST_CASE("a program that has the old content open keeps reading it") {
    const auto store = mounted();
    if (!store) return;
    Doors doors(*store);
    doors.put("k", "old");
    const int fd = ::open(doors.path("k").c_str(), O_RDONLY);
    REQUIRE(fd >= 0);
    doors.put("k", "brand new");
    CHECK(Doors::read_at(fd, 0) == "old");
    CHECK(doors.read("k") == "brand new");
    doors.remove("k");
    CHECK(Doors::read_at(fd, 0) == "old");
    struct stat st {};
    CHECK(::fstat(fd, &st) == 0);
    CHECK(st.st_nlink == 0);
    ::close(fd);
}

TEST_CASE("directories come and go with the keys below them") {
    const auto store = mounted();
    if (!store) return;
    Doors doors(*store);
    CHECK_FALSE(doors.stat("a").has_value());
    doors.put("a/b/c", "x");
    REQUIRE(doors.stat("a/b").has_value());
    CHECK(S_ISDIR(doors.stat("a/b")->st_mode));
    CHECK(doors.stat("a")->st_nlink == 3);
    CHECK(doors.read("a/b/c") == "x");
    // An object and a directory of one name: the directory is seen, until it goes.
    doors.put("n", "object");
    CHECK(doors.read("n") == "object");
    doors.put("n/below", "x");
    CHECK(S_ISDIR(doors.stat("n")->st_mode));
    CHECK(doors.read("n/below") == "x");
    CHECK(::unlink(doors.path("n/below").c_str()) == 0);
    CHECK(::rmdir(doors.path("n").c_str()) == 0);
    CHECK(doors.read("n") == "object");
}

TEST_CASE("changes that find no room in the queue of the mount are seen at once all the same") {
    MountedStore::Options options;
    options.invalidator.queue_max = 0;
    const auto store = mounted(options);
    if (!store) return;
    Doors doors(*store);
    for (const char* key : {"removed", "replaced", "d/renamed", "open"}) doors.put(key, key);
    // What the kernel believes from here on; one of them by a rename of its own.
    const int fd = ::open(doors.path("open").c_str(), O_RDONLY);
    REQUIRE(fd >= 0);
    REQUIRE(::rename(doors.path("removed").c_str(), doors.path("moved").c_str()) == 0);
    for (const char* key : {"moved", "replaced", "d/renamed"}) REQUIRE(doors.stat(key).has_value());
    for (const char* key : {"new", "d/to", "removed"}) REQUIRE_FALSE(doors.stat(key).has_value());
    const fs::InodeId directory = doors.inode("d");
    for (const char* key : {"moved", "open"}) doors.remove(key);
    doors.put("replaced", "by another");
    doors.put("new", "content");
    REQUIRE(store->vfs().rename(doors.nfs, {directory, "renamed"}, {directory, "to"}, {}).ok());
    for (const char* key : {"moved", "open", "d/renamed"}) CHECK_FALSE(doors.stat(key).has_value());
    CHECK(doors.read("replaced") == "by another");
    CHECK(doors.read("new") == "content");
    CHECK(doors.read("d/to") == "d/renamed");
    CHECK(Doors::read_at(fd, 0) == "open");
    ::close(fd);
    CHECK(store->mount().stats().overflowed > 0);
    CHECK(store->mount().stats().timed_out == 0);
}

TEST_CASE("what NFS writes and sets is seen through a file that is open") {
    const auto store = mounted();
    if (!store) return;
    Doors doors(*store);
    doors.put("k", "0123456789");
    const int fd = ::open(doors.path("k").c_str(), O_RDWR);
    REQUIRE(fd >= 0);
    CHECK(Doors::read_at(fd, 0) == "0123456789");
    const fs::InodeId inode = doors.inode("k");
    const auto write = [&](std::uint64_t offset, const std::string& bytes) {
        REQUIRE(store->vfs()
                    .write(doors.nfs,
                           {inode, offset, fs::Stability::file_sync},
                           objstore::as_bytes(bytes))
                    .ok());
    };
    write(3, "abc");
    CHECK(Doors::read_at(fd, 0) == "012abc6789");
    write(10, "tail");
    CHECK(Doors::read_at(fd, 0) == "012abc6789tail");
    fs::SetAttributes changes;
    changes.mode = 0600;
    changes.size = 2;
    REQUIRE(store->vfs().setattr(doors.nfs, inode, changes).ok());
    struct stat st {};
    REQUIRE(::fstat(fd, &st) == 0);
    CHECK(st.st_size == 2);
    CHECK((st.st_mode & 07777) == 0600);
    CHECK(Doors::read_at(fd, 0) == "01");
    ::close(fd);
    REQUIRE(store->vfs().rename(doors.nfs, {doors.bucket, "k"}, {doors.bucket, "l"}, {}).ok());
    CHECK_FALSE(doors.stat("k").has_value());
    CHECK(doors.read("l") == "01");
    CHECK(store->mount().stats().timed_out == 0);
}

TEST_CASE("what a program wrote and closed is what S3 reads, and durable") {
    const auto store = mounted();
    if (!store) return;
    Doors doors(*store);
    const int fd = ::open(doors.path("f").c_str(), O_CREAT | O_WRONLY, 0644);
    REQUIRE(::write(fd, "written", 7) == 7);
    REQUIRE(::close(fd) == 0);
    const auto object = store->engine().stat(doors.bucket, "f");
    REQUIRE(object.ok());
    CHECK(object->inode->size == 7);
    CHECK(object->inode->etag.to_string().substr(32) == "-1");
    const auto reader = store->engine().open(*object);
    REQUIRE(reader.ok());
    std::string found(7, '\0');
    REQUIRE((*reader)->read(0, std::as_writable_bytes(std::span(found))).ok());
    CHECK(found == "written");
}

// Requests of the mount hold the directory's lock in the kernel while they wait for us: whoever
// tells the kernel of a change in it must never be one that they wait for.
TEST_CASE("changes of a directory from both sides at once deadlock nobody") {
    const auto store = mounted();
    if (!store) return;
    Doors doors(*store);
    std::atomic<bool> stop = false;
    std::atomic<int> made = 0;
    std::vector<std::thread> programs;
    for (int p = 0; p < 4; ++p) {
        programs.emplace_back([&, p] {
            for (int i = 0; !stop; ++i) {
                const std::string name = doors.path(fmt::format("p{}-{}", p, i % 5));
                const int fd = ::open(name.c_str(), O_CREAT | O_RDWR, 0644);
                ::close(fd);
                ::rename(name.c_str(), (name + ".new").c_str());
                struct stat st {};
                ::stat(doors.path(fmt::format("k{}", i % 10)).c_str(), &st);
                if (DIR* const dir = ::opendir(store->bucket_dir().c_str())) {
                    while (::readdir(dir) != nullptr) {
                    }
                    ::closedir(dir);
                }
                ::unlink((name + ".new").c_str());
                ++made;
            }
        });
    }
    for (int i = 0; i < 200; ++i) {
        const std::string key = fmt::format("k{}", i % 10);
        const std::string bytes(static_cast<std::size_t>(i), 'x');
        doors.put(key, bytes);
        const auto st = doors.stat(key);
        REQUIRE(st.has_value());
        REQUIRE(st->st_size == i);
        if (i % 4 == 0) {
            doors.remove(key);
            REQUIRE_FALSE(doors.stat(key).has_value());
        }
    }
    stop = true;
    for (std::thread& program : programs) program.join();
    CHECK(made > 0);
    CHECK(store->mount().stats().timed_out == 0);
    CHECK(store->mount().stats().overflowed == 0);
}

TEST_CASE("a mount that is in use is cut off when the server stops") {
    const auto store = mounted();
    if (!store) return;
    Doors doors(*store);
    doors.put("k", "x");
    const int fd = ::open(doors.path("k").c_str(), O_RDONLY);
    REQUIRE(fd >= 0);
    const std::string dir = store->mount_dir();
    store->close();
    char byte = 0;
    CHECK(::pread(fd, &byte, 1, 0) < 0);
    ::close(fd);
    CHECK(::access((dir + "/b").c_str(), F_OK) != 0);
    REQUIRE(store->open().ok());
    CHECK(doors.read("k") == "x");
}

}  // namespace
}  // namespace tests
