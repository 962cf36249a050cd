#include "fs/vfs/local_vfs.h"

#include <atomic>

#include "fs/vfs/vfs_fixture.h"

namespace fs {
namespace {

using objstore::Code;
using objstore::Why;
using tests::check_error;

TEST_CASE("a directory goes before the object it shadows, which comes back after it") {
    VfsFixture f;
    REQUIRE(f.store.put("a", "object").ok());
    REQUIRE(f.store.put("a/b", "below").ok());
    const auto found = f.vfs().lookup(f.mount, f.bucket(), "a");
    REQUIRE(found.ok());
    CHECK(found->is_directory());
    CHECK(f.vfs().get_xattr(f.mount, {found->inode, "user.ashlar.shadowed"}).value() == "1");
    const auto page = f.vfs().read_directory(f.mount, f.bucket(), 0, 10);
    REQUIRE(page.ok());
    REQUIRE(page->entries.size() == 1);
    CHECK(page->entries[0].name == "a");
    CHECK(page->entries[0].attributes.is_directory());
    check_error(
        f.vfs().unlink(f.mount, f.bucket(), "a").error(), Code::conflict, Why::is_directory);
    REQUIRE(f.vfs().unlink(f.mount, found->inode, "b").ok());
    REQUIRE(f.vfs().rmdir(f.mount, f.bucket(), "a").ok());
    CHECK(f.vfs().lookup(f.mount, f.bucket(), "a")->is_regular());
}

TEST_CASE("names that no path can express are not shown, but counted and in the way") {
    VfsFixture f;
    REQUIRE(f.store.put("d//x", "1").ok());
    REQUIRE(f.store.put("d/../y", "2").ok());
    const InodeId d = f.vfs().lookup(f.mount, f.bucket(), "d")->inode;
    CHECK(f.vfs().read_directory(f.mount, d, 0, 10)->entries.empty());
    CHECK(f.vfs().get_xattr(f.mount, {d, "user.ashlar.hidden"}).value() == "2");
    check_error(f.vfs().lookup(f.mount, d, "..").error(), Code::invalid_argument);
    check_error(f.vfs().rmdir(f.mount, f.bucket(), "d").error(), Code::conflict, Why::not_empty);
}

TEST_CASE("a directory is read in pages, each entry once, while it changes") {
    VfsFixture f;
    for (int i = 0; i < 50; ++i) f.make(f.nfs_root, f.bucket(), "f" + std::to_string(i));
    std::vector<std::string> seen;
    std::uint64_t cookie = 0;
    for (bool end = false; !end;) {
        const auto page = f.vfs().read_directory(f.nfs_root, f.bucket(), cookie, 7);
        REQUIRE(page.ok());
        for (const DirectoryEntry& entry : page->entries) {
            seen.push_back(entry.name);
            CHECK(entry.cookie > cookie);
            cookie = entry.cookie;
            REQUIRE(f.vfs().unlink(f.nfs_root, f.bucket(), entry.name).ok());
        }
        end = page->end;
    }
    CHECK(seen.size() == 50);
    CHECK(f.vfs().read_directory(f.nfs_root, f.bucket(), 0, 7)->entries.empty());
}

TEST_CASE("the root holds buckets: made and removed by its owner, by S3's rules of names") {
    VfsFixture f;
    SetAttributes mode;
    mode.mode = 0750;
    const auto made = f.vfs().mkdir(f.nfs_root, kRootInode, "new-bucket", mode);
    REQUIRE(made.ok());
    CHECK(f.store.engine().bucket("new-bucket").ok());
    CHECK(made->attributes->mode == 0750);
    check_error(f.vfs().mkdir(f.nfs_root, kRootInode, "No_Bucket", mode).error(),
                Code::invalid_argument);
    check_error(f.vfs().mkdir(f.alice, kRootInode, "alices", mode).error(),
                Code::permission_denied,
                Why::not_permitted);
    check_error(f.vfs().create(f.nfs_root, kRootInode, "f", {}).error(),
                Code::permission_denied,
                Why::not_permitted);
    check_error(f.vfs().rename(f.nfs_root, {kRootInode, "b"}, {kRootInode, "c"}, {}).error(),
                Code::permission_denied,
                Why::not_permitted);
    const InodeId other = made->attributes->inode;
    f.make(f.nfs_root, f.bucket(), "f");
    check_error(f.vfs().rename(f.nfs_root, {f.bucket(), "f"}, {other, "f"}, {}).error(),
                Code::unsupported,
                Why::cross_bucket);
    REQUIRE(f.vfs().mkdir(f.nfs_root, other, "d", {}).ok());
    check_error(f.vfs().rmdir(f.nfs_root, kRootInode, "new-bucket").error(),
                Code::conflict,
                Why::not_empty);
    REQUIRE(f.vfs().rmdir(f.nfs_root, other, "d").ok());
    CHECK(f.vfs().rmdir(f.nfs_root, kRootInode, "new-bucket").ok());
    CHECK_FALSE(f.store.engine().bucket("new-bucket").ok());
}

TEST_CASE("modes and owners bind users of NFS") {
    VfsFixture f;
    const InodeId shared = f.mkdir(f.nfs_root, "shared", 0777);
    const InodeId file = f.make(f.alice, shared, "alices");
    SetAttributes changes;
    changes.mode = 0600;
    REQUIRE(f.vfs().setattr(f.alice, file, changes).ok());
    check_error(f.read(f.bob, file).error(), Code::permission_denied);
    check_error(
        f.vfs().setattr(f.bob, file, changes).error(), Code::permission_denied, Why::not_permitted);
    CHECK(f.vfs().access(f.bob, file, kMayRead | kMayWrite).value() == 0);
    CHECK(f.vfs().access(f.alice, file, 7).value() == (kMayRead | kMayWrite));
    check_error(f.vfs().create(f.bob, f.bucket(), "x", {}).error(), Code::permission_denied);
    // NFS has no open: the owner goes on after chmod 0.
    changes.mode = 0;
    REQUIRE(f.vfs().setattr(f.alice, file, changes).ok());
    CHECK(f.read(f.alice, file).ok());
    // Sticky: bob may write the directory, but not remove what is alice's.
    changes.mode = 01777;
    REQUIRE(f.vfs().setattr(f.nfs_root, shared, changes).ok());
    check_error(f.vfs().unlink(f.bob, shared, "alices").error(),
                Code::permission_denied,
                Why::not_permitted);
    CHECK(f.vfs().unlink(f.alice, shared, "alices").ok());
}

TEST_CASE("a write by who is not root takes setuid and setgid away at once") {
    VfsFixture f;
    const InodeId shared = f.mkdir(f.nfs_root, "shared", 0777);
    const InodeId file = f.make(f.alice, shared, "f");
    SetAttributes mode;
    mode.mode = 06755;
    REQUIRE(f.vfs().setattr(f.alice, file, mode).ok());
    REQUIRE(f.vfs().write(f.alice, {file, 0, Stability::unstable}, objstore::as_bytes("x")).ok());
    CHECK(f.vfs().getattr(file)->mode == 0755);
}

TEST_CASE("no file gets setgid of a group that its maker is not in") {
    VfsFixture f;
    const InodeId shared = f.mkdir(f.nfs_root, "shared", 02777);
    SetAttributes group;
    group.gid = 50;
    group.mode = 02777;
    REQUIRE(f.vfs().setattr(f.nfs_root, shared, group).ok());
    const auto create = [&](const Credentials& who, const std::string& name) {
        CreateRequest request;
        request.mode = 02755;
        return f.vfs().create(who, shared, name, request)->change.attributes.value();
    };
    const Attributes stranger = create(f.alice, "a");
    CHECK(stranger.gid == 50);
    CHECK(stranger.mode == 0755);
    SetAttributes mode;
    mode.mode = 02755;
    const auto node = f.vfs().mknod(f.alice, shared, "n", {FileType::regular, 0}, mode);
    REQUIRE(node.ok());
    CHECK(node->attributes->mode == 0755);
    Credentials member = f.alice;
    member.groups = {50};
    CHECK(create(member, "b").mode == 02755);
    const Attributes root = create(f.nfs_root, "c");
    CHECK(root.mode == 02755);
    CHECK(root.gid == 50);
    // Directories hand it down.
    mode.mode = 0755;
    CHECK(f.vfs().mkdir(f.alice, shared, "d", mode)->attributes->mode == 02755);
}

TEST_CASE("a file of the mount that NFS creates once more is durable then") {
    VfsFixture f;
    f.create("f");
    CreateRequest request;
    request.how = CreateRequest::How::unchecked;
    REQUIRE(f.vfs().create(f.nfs_root, f.bucket(), "f", request).ok());
    REQUIRE(f.power_cycle().ok());
    CHECK(f.store.read("f").ok());
}

TEST_CASE("paths have 4,096 bytes at most, also when a name is moved or linked") {
    VfsFixture f;
    const std::string long_name(255, 'd');
    SetAttributes mode;
    mode.mode = 0755;
    InodeId deep = f.bucket();
    int depth = 0;
    while (true) {
        const auto made = f.vfs().mkdir(f.nfs_root, deep, long_name, mode);
        if (!made.ok()) {
            check_error(made.error(), Code::invalid_argument, Why::name_too_long);
            break;
        }
        deep = made->attributes->inode;
        REQUIRE(++depth < 20);
    }
    CHECK(depth == 15);  // "/b" and 256 bytes for each
    const std::string fits(4096 - 2 - 15 * 256 - 1, 'f');
    const InodeId file = f.make(f.nfs_root, deep, fits);
    const auto refused = [&](const auto& result) {
        check_error(result.error(), Code::invalid_argument, Why::name_too_long);
    };
    refused(f.vfs().create(f.nfs_root, deep, fits + 'f', {}));
    refused(f.vfs().link(f.nfs_root, file, deep, fits + 'f'));
    refused(f.vfs().rename(f.nfs_root, {deep, fits}, {deep, fits + 'f'}, {}));
    CHECK(f.vfs().rename(f.nfs_root, {deep, fits}, {f.bucket(), "f"}, {}).ok());
}

// Directories of long names below the bucket or each other; the last.
InodeId make_chain(VfsFixture& f, InodeId directory, int depth) {
    SetAttributes mode;
    mode.mode = 0755;
    for (int i = 0; i < depth; ++i) {
        const auto made = f.vfs().mkdir(f.nfs_root, directory, std::string(255, 'd'), mode);
        REQUIRE(made.ok());
        directory = made->attributes->inode;
    }
    return directory;
}

std::vector<std::string> keys(VfsFixture& f) {
    std::vector<std::string> keys;
    const auto page = f.store.engine().list(f.bucket(), {});
    REQUIRE(page.ok());
    for (const auto& object : page->objects) keys.push_back(object.key);
    return keys;
}

TEST_CASE("what lies below a moved directory is no key while its path is too long for one") {
    VfsFixture f;
    const std::string moved = "moved/" + std::string(200, 'k');
    REQUIRE(f.store.put("moved/short", "short").ok());
    REQUIRE(f.store.put(moved, "content").ok());
    const InodeId deep = make_chain(f, f.bucket(), 3);
    const std::string prefix =
        std::string(255, 'd') + '/' + std::string(255, 'd') + '/' + std::string(255, 'd') + '/';
    const Vfs::NameAt high{f.bucket(), "moved"};
    const Vfs::NameAt low{deep, std::string_view("moved-below-where-keys-are-long-already-")};
    REQUIRE(prefix.size() + low.name.size() + 1 + 200 <= 1024);
    const std::string long_name(60, 'm');
    const Vfs::NameAt lowest{deep, long_name};
    REQUIRE(prefix.size() + lowest.name.size() + 1 + 200 > 1024);

    REQUIRE(f.vfs().rename(f.nfs_root, high, low, {}).ok());
    CHECK(keys(f).size() == 2);
    REQUIRE(f.vfs().rename(f.nfs_root, low, lowest, {}).ok());
    CHECK(keys(f) == std::vector<std::string>{prefix + long_name + "/short"});
    // It is all there for mounts and NFS, and keeps the bucket from going.
    const auto directory = f.vfs().lookup(f.nfs_root, deep, long_name);
    REQUIRE(directory.ok());
    const auto file = f.vfs().lookup(f.nfs_root, directory->inode, std::string(200, 'k'));
    REQUIRE(file.ok());
    CHECK(f.read(f.nfs_root, file->inode).value() == "content");
    REQUIRE(f.store.remove(prefix + long_name + "/short").ok());
    CHECK(f.store.engine().apply(objstore::DeleteBucketOp{"b", 1}, {}).why() == Why::not_empty);
    REQUIRE(f.vfs().rename(f.nfs_root, lowest, high, {}).ok());
    // The directory that it left is empty.
    CHECK(keys(f) == std::vector<std::string>{prefix, moved});
    CHECK(f.store.read(moved).value_or("") == "content");
}

TEST_CASE("below a moved directory nothing is made past 4,096 bytes, and all can be taken away") {
    VfsFixture f;
    SetAttributes mode;
    mode.mode = 0755;
    const auto top = f.vfs().mkdir(f.nfs_root, f.bucket(), "top", mode);
    REQUIRE(top.ok());
    const InodeId below = make_chain(f, top->attributes->inode, 10);
    const InodeId file = f.make(f.nfs_root, below, "f");
    const InodeId deep = make_chain(f, f.bucket(), 10);
    REQUIRE(f.vfs().rename(f.nfs_root, {f.bucket(), "top"}, {deep, "top"}, {}).ok());
    const auto refused = [&](const auto& result) {
        check_error(result.error(), Code::invalid_argument, Why::name_too_long);
    };
    refused(f.vfs().create(f.nfs_root, below, "g", {}));
    refused(f.vfs().link(f.nfs_root, file, below, "g"));
    refused(f.vfs().mkdir(f.nfs_root, below, "g", mode));
    refused(f.vfs().rename(f.nfs_root, {below, "f"}, {below, "longer"}, {}));
    CHECK(f.vfs().lookup(f.nfs_root, below, "f")->inode == file);
    CHECK(f.vfs().rename(f.nfs_root, {below, "f"}, {below, "g"}, {}).ok());
    CHECK(f.vfs().rename(f.nfs_root, {below, "g"}, {f.bucket(), "g"}, {}).ok());
    CHECK(keys(f).back() == "g");
    CHECK(f.vfs().unlink(f.nfs_root, f.bucket(), "g").ok());
    // From the end, where paths are too long, to the top.
    InodeId at = below;
    for (int i = 0; i < 10; ++i) {
        const auto parent = f.vfs().lookup_parent(f.nfs_root, at);
        REQUIRE(parent.ok());
        REQUIRE(f.vfs().rmdir(f.nfs_root, parent->inode, std::string(255, 'd')).ok());
        at = parent->inode;
    }
    CHECK(f.vfs().rmdir(f.nfs_root, deep, "top").ok());
}

TEST_CASE("an exclusive create is repeated with the same verifier, not with another") {
    VfsFixture f;
    CreateRequest request;
    request.how = CreateRequest::How::exclusive;
    request.verifier = 42;
    const auto first = f.vfs().create(f.nfs_root, f.bucket(), "f", request);
    REQUIRE(first.ok());
    const auto again = f.vfs().create(f.nfs_root, f.bucket(), "f", request);
    REQUIRE(again.ok());
    CHECK(again->existed);
    CHECK(again->change.attributes->inode == first->change.attributes->inode);
    request.verifier = 43;
    check_error(f.vfs().create(f.nfs_root, f.bucket(), "f", request).error(), Code::already_exists);
}

TEST_CASE("a guarded setattr fails when the inode has changed since") {
    VfsFixture f;
    const InodeId file = f.make(f.nfs_root, f.bucket(), "f");
    const UnixNanos ctime = f.vfs().getattr(file)->ctime;
    f.clock.advance(std::chrono::seconds(1));
    SetAttributes changes;
    changes.mode = 0600;
    changes.size = 5;
    changes.guard_ctime = ctime;
    CHECK(f.vfs().setattr(f.nfs_root, file, changes).ok());
    check_error(
        f.vfs().setattr(f.nfs_root, file, changes).error(), Code::conflict, Why::precondition);
    // Bytes that wait have moved the time that the client sees.
    changes.guard_ctime = f.vfs().getattr(file)->ctime;
    f.clock.advance(std::chrono::seconds(1));
    const auto at = Vfs::WriteAt{file, 0, Stability::unstable};
    REQUIRE(f.vfs().write(f.nfs_root, at, objstore::as_bytes("x")).ok());
    check_error(
        f.vfs().setattr(f.nfs_root, file, changes).error(), Code::conflict, Why::precondition);
}

TEST_CASE("an unstable write is answered as such, and durable after the commit") {
    VfsFixture f;
    const InodeId file = f.make(f.nfs_root, f.bucket(), "f");
    f.clock.advance(std::chrono::seconds(1));
    const auto written =
        f.vfs().write(f.nfs_root, {file, 0, Stability::unstable}, objstore::as_bytes("bytes"));
    REQUIRE(written.ok());
    CHECK(written->stability == Stability::unstable);
    CHECK(written->change.before.size == 0);
    CHECK(written->change.after.size == 5);
    CHECK(written->change.after.mtime == f.clock.now());
    const auto committed = f.vfs().commit(f.nfs_root, file);
    REQUIRE(committed.ok());
    CHECK(committed->after.size == 5);
    REQUIRE(f.power_cycle().ok());
    CHECK(f.store.read("f").value() == "bytes");
    const auto stable =
        f.vfs().write(f.nfs_root, {file, 5, Stability::data_sync}, objstore::as_bytes("!"));
    REQUIRE(stable.ok());
    CHECK(stable->stability == Stability::file_sync);
    REQUIRE(f.power_cycle().ok());
    CHECK(f.store.read("f").value() == "bytes!");
}

TEST_CASE("a file that NFS used lately is read after its removal") {
    VfsFixture f;
    const InodeId file = f.make(f.nfs_root, f.bucket(), "f");
    const auto at = Vfs::WriteAt{file, 0, Stability::file_sync};
    REQUIRE(f.vfs().write(f.nfs_root, at, objstore::as_bytes("kept")).ok());
    REQUIRE(f.vfs().unlink(f.nfs_root, f.bucket(), "f").ok());
    CHECK(f.read(f.nfs_root, file).value() == "kept");
    CHECK(f.vfs().getattr(file)->nlink == 0);
}

TEST_CASE("ranges are shared within a bucket and across, and one change does not touch the other") {
    VfsFixture f;
    const std::string bytes = tests::some_bytes(300'000, 5);
    REQUIRE(f.store.put("source", bytes).ok());
    const InodeId source = f.vfs().lookup(f.mount, f.bucket(), "source")->inode;
    const auto target = f.create("target");
    CopyRange range{source, 1000, target->inode(), 50, 200'000};
    CHECK(f.vfs().copy_range(f.mount, range).value() == 200'000);
    f.write(*target, 100, "changed");
    REQUIRE(target->sync().ok());
    std::string wanted = std::string(50, '\0') + bytes.substr(1000, 200'000);
    wanted.replace(100, 7, "changed");
    CHECK((f.store.read("target").value() == wanted));
    CHECK((f.store.read("source").value() == bytes));
    range.source_offset = 299'990;
    CHECK(f.vfs().copy_range(f.mount, range).value() == 10);
    range.source_offset = 300'000;
    CHECK(f.vfs().copy_range(f.mount, range).value() == 0);
}

TEST_CASE("holes are made, found and read as zeros") {
    VfsFixture f;
    const auto file = f.create("f");
    f.write(*file, 0, std::string(100'000, 'x'));
    const auto allocate = [&](AllocateMode mode, std::uint64_t offset, std::uint64_t length) {
        return f.vfs().allocate(f.mount, file->inode(), mode, {offset, length});
    };
    REQUIRE(allocate(AllocateMode::punch, 20'000, 30'000).ok());
    CHECK(f.vfs().seek_hole(file->inode(), 0).value() == 20'000);
    CHECK(f.vfs().seek_data(file->inode(), 20'000).value() == 50'000);
    CHECK(f.vfs().seek_hole(file->inode(), 50'000).value() == 100'000);
    check_error(f.vfs().seek_data(file->inode(), 100'000).error(),
                Code::invalid_argument,
                Why::invalid_range);
    REQUIRE(allocate(AllocateMode::extend, 0, 150'000).ok());
    CHECK(f.vfs().getattr(file->inode())->size == 150'000);
    REQUIRE(allocate(AllocateMode::keep_size, 0, 500'000).ok());
    CHECK(f.vfs().getattr(file->inode())->size == 150'000);
    REQUIRE(allocate(AllocateMode::zero, 90'000, 100'000).ok());
    const std::string found = f.read(*file);
    CHECK(found.size() == 190'000);
    CHECK(found[19'999] == 'x');
    CHECK(found[20'000] == '\0');
    CHECK(found[89'999] == 'x');
    CHECK(found[90'000] == '\0');
}

TEST_CASE("data and holes are found at once, however far they are") {
    VfsFixture f;
    const auto file = f.create("f");
    constexpr std::uint64_t kFar = std::uint64_t{1} << 62;
    f.write(*file, 0, "x");
    SetAttributes size;
    size.size = kFar;
    REQUIRE(f.vfs().setattr(f.mount, file->inode(), size, file.get()).ok());
    CHECK(f.vfs().seek_hole(file->inode(), 0).value() == 1);
    CHECK(f.vfs().seek_hole(file->inode(), 1000).value() == 1000);
    check_error(
        f.vfs().seek_data(file->inode(), 1).error(), Code::invalid_argument, Why::invalid_range);
    f.write(*file, kFar - 10, "end");
    CHECK(f.vfs().seek_data(file->inode(), 1).value() == kFar - 10);
    CHECK(f.vfs().seek_hole(file->inode(), kFar - 9).value() == kFar - 7);
    // More pieces than one look takes.
    for (const std::uint64_t begin : {1, 2}) {
        for (std::uint64_t i = 0; i < 1500; i += 2) f.write(*file, begin + i, "y");
        REQUIRE(file->flush().ok());
    }
    CHECK(f.vfs().seek_hole(file->inode(), 0).value() == 1501);
}

class CountingListener final : public objstore::ChangeListener {
public:
    void changed(std::span<const objstore::Change>, Door) override { ++count; }
    std::atomic<int> count{0};
};

TEST_CASE("very many pieces are dropped and shared in steps, for others come in between") {
    VfsFixture f;
    const auto file = f.create("f");
    for (std::uint64_t i = 0; i < 3500; ++i) f.write(*file, 2 * i, "y");
    REQUIRE(file->flush().ok());
    const auto copy = f.create("copy");
    CopyRange range{file->inode(), 0, copy->inode(), 0, 7000};
    const std::uint64_t copied = f.vfs().copy_range(f.mount, range).value();
    CHECK(copied >= 1990);
    CHECK(copied < 2100);
    CHECK(f.read(*copy) == f.read(*file).substr(0, copied));
    CountingListener listener;
    f.store.engine().subscribe(&listener);
    REQUIRE(f.vfs().allocate(f.mount, file->inode(), AllocateMode::punch, {0, 3001}).ok());
    CHECK(listener.count == 2);
    CHECK(f.vfs().seek_data(file->inode(), 0).value() == 3002);
    listener.count = 0;
    SetAttributes size;
    size.size = 3003;
    REQUIRE(f.vfs().setattr(f.mount, file->inode(), size, file.get()).ok());
    CHECK(listener.count >= 2);
    f.store.engine().unsubscribe(&listener);
    std::string left(3003, '\0');
    left.back() = 'y';
    CHECK(f.read(*file) == left);
}

TEST_CASE("what memory can answer is answered without waiting, or not at all") {
    VfsFixture f;
    const InodeId file = f.make(f.nfs_root, f.bucket(), "f");
    REQUIRE(f.vfs().getattr(file).ok());
    CHECK(f.vfs().try_getattr(file).has_value());
    REQUIRE(f.vfs().lookup(f.nfs_root, f.bucket(), "f").ok());
    const auto known = f.vfs().try_lookup(f.nfs_root, f.bucket(), "f");
    REQUIRE(known.has_value());
    CHECK((*known)->inode == file);
    check_error(f.vfs().lookup(f.nfs_root, f.bucket(), "none").error(), Code::not_found);
    const auto absent = f.vfs().try_lookup(f.nfs_root, f.bucket(), "none");
    REQUIRE(absent.has_value());
    CHECK(absent->code() == Code::not_found);
}

}  // namespace
}  // namespace fs
