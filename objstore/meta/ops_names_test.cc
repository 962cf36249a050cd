#include <doctest/doctest.h>

#include "objstore/meta/visibility.h"
#include "tests/sim/check_status.h"
#include "tests/sim/sim_namespace.h"

using namespace objstore;
using tests::check_error;
using tests::SimNamespace;
using Keys = std::vector<std::string>;

TEST_CASE("a new file has what was asked for and an ETag that is no MD5") {
    SimNamespace names;
    CreateOp op;
    op.parent = names.bucket;
    op.name = "f";
    op.inode.mode = 04755;
    op.inode.uid = 5;
    op.inode.gid = 6;
    op.inode.verifier = 77;
    op.inode.headers = {{"content-type", "text/plain"}};
    op.inode.ctime = names.tick();
    op.inode.size = 1000;  // not for the caller to say
    op.inode.nlink = 9;
    REQUIRE(names.run(op).ok());
    const Inode file = *names.inode("f");
    CHECK(file.mode == 04755);
    CHECK(file.uid == 5);
    CHECK(file.gid == 6);
    CHECK(file.verifier == 77);
    CHECK(file.headers == op.inode.headers);
    CHECK(file.size == 0);
    CHECK(file.nlink == 1);
    CHECK(file.mtime == names.now);
    CHECK(file.atime == names.now);
    CHECK(file.btime == names.now);
    CHECK(file.bucket == names.bucket);
    CHECK(file.etag == derived_etag(file.id, file.generation));
    CHECK(names.result.entry == *names.entry("f"));
    CHECK(*names.result.inode == file);
    CHECK(names.list() == Keys{"f"});
    CHECK(names.problems() == "");
}

TEST_CASE("a create tells its parent before and after") {
    SimNamespace names;
    const Inode before = *names.inode(names.bucket);
    REQUIRE(names.make_file(names.bucket, "f").ok());
    CHECK(*names.result.parent_before == before);
    CHECK(*names.result.parent_after == *names.inode(names.bucket));
    CHECK(names.result.parent_after->mtime == names.now);
    CHECK(names.result.parent_after->ctime == names.now);
    CHECK(names.result.parent_after->change > before.change);
}

TEST_CASE("a create where something is answers with that") {
    SimNamespace names;
    REQUIRE(names.put("a", "x").ok());
    check_error(names.make_file(names.bucket, "a"), Code::already_exists);
    CHECK(names.result.before->id == names.id("a"));
    check_error(names.make_directory(names.bucket, "a"), Code::already_exists);
    REQUIRE(names.put("a/b", "x").ok());
    check_error(names.make_file(names.bucket, "a"), Code::already_exists);
    CHECK(names.result.before->id == names.id("a/"));  // the directory shadows the object
    CHECK(names.result.entry.name == "a/");
    check_error(names.make_directory(names.bucket, "a"), Code::already_exists);
    CHECK(names.problems() == "");
}

TEST_CASE("symbolic links and devices carry their targets and numbers") {
    SimNamespace names;
    REQUIRE(names.create(names.bucket, "s", FileType::symlink).ok());
    CHECK(names.inode("s")->target == "target");
    CHECK(names.inode("s")->size == 6);
    CreateOp op;
    op.parent = names.bucket;
    op.name = "n";
    op.inode.type = FileType::block_device;
    op.inode.rdev = 0x801;
    REQUIRE(names.run(op).ok());
    CHECK(names.inode("n")->rdev == 0x801);
    CHECK(names.list().empty());
    op.name = "t";
    op.inode.type = FileType::symlink;
    check_error(names.run(op), Code::invalid_argument);
    op.inode.target = std::string(4096, 't');
    check_error(names.run(op), Code::invalid_argument, Why::name_too_long);
    op.inode.target.pop_back();
    CHECK(names.run(op).ok());
    op.name = "u";
    op.inode.type = static_cast<FileType>(9);
    check_error(names.run(op), Code::invalid_argument);
}

TEST_CASE("what is made in a setgid directory has its group, and directories pass it on") {
    SimNamespace names;
    REQUIRE(names.make_directory(names.bucket, "d").ok());
    SetAttributesOp chmod;
    chmod.inode = names.id("d/");
    chmod.mode = 02775;
    chmod.gid = 42;
    chmod.time = names.tick();
    REQUIRE(names.run(chmod).ok());
    REQUIRE(names.make_file(chmod.inode, "f").ok());
    REQUIRE(names.make_directory(chmod.inode, "e").ok());
    CHECK(names.inode("d/f")->gid == 42);
    CHECK(names.inode("d/f")->mode == 0640);
    CHECK(names.inode("d/e/")->gid == 42);
    CHECK(names.inode("d/e/")->mode == 02640);
    CreateOp op;
    op.parent = chmod.inode;
    op.name = "g";
    op.inode.gid = 7;
    op.directory_setgid = false;
    REQUIRE(names.run(op).ok());
    CHECK(names.inode("d/g")->gid == 7);
}

TEST_CASE("names have 1 to 255 bytes and are not ., .. or with a slash") {
    SimNamespace names;
    REQUIRE(names.make_file(names.bucket, std::string(255, 'n')).ok());
    for (const char* name : {"", ".", "..", "a/b"}) {
        CAPTURE(name);
        check_error(names.make_file(names.bucket, name), Code::invalid_argument);
        check_error(names.unlink(names.bucket, name), Code::invalid_argument);
        check_error(names.rmdir(names.bucket, name), Code::invalid_argument);
        check_error(names.rename(names.bucket, name, "x"), Code::invalid_argument);
        check_error(names.rename(names.bucket, "x", name), Code::invalid_argument);
    }
    check_error(names.make_file(names.bucket, std::string(256, 'n')),
                Code::invalid_argument,
                Why::name_too_long);
    check_error(names.make_file(names.bucket, std::string_view("a\0b", 3)), Code::invalid_argument);
}

TEST_CASE("nothing can be made in a file or in a directory that was removed") {
    SimNamespace names;
    REQUIRE(names.put("k", "x").ok());
    check_error(names.make_file(names.id("k"), "f"), Code::conflict, Why::not_directory);
    REQUIRE(names.make_directory(names.bucket, "d").ok());
    const InodeId id = names.id("d/");
    names.tables.holds = {id};
    REQUIRE(names.rmdir(names.bucket, "d").ok());
    CHECK(names.result.inode->nlink == 0);
    check_error(names.make_file(id, "f"), Code::not_found);
    check_error(names.unlink(id, "f"), Code::not_found);
    RenameOp into{names.bucket, "k", id, "k"};
    check_error(names.run(into), Code::not_found);
    check_error(names.make_file(9999, "f"), Code::not_found, Why::stale);
    CHECK(names.problems() == "");
}

TEST_CASE("each hard link is a key of its own") {
    SimNamespace names;
    REQUIRE(names.put("a", "bytes").ok());
    const UnixNanos put_at = names.now;
    REQUIRE(names.make_directory(names.bucket, "d").ok());
    REQUIRE(names.link(names.id("a"), names.id("d/"), "b").ok());
    CHECK(names.result.inode->nlink == 2);
    CHECK(names.result.parent_before->directory.children == 0);
    CHECK(names.result.parent_after->directory.children == 1);
    CHECK(names.list() == Keys{"a", "d/b"});
    CHECK(names.id("a") == names.id("d/b"));
    CHECK(names.inode("a")->parent == 0);
    CHECK(names.inode("a")->ctime == names.now);
    CHECK(names.entry("a")->last_modified == put_at);
    CHECK(names.entry("d/b")->last_modified == names.now);
    CHECK(names.problems() == "");
    REQUIRE(names.put("a", "other").ok());
    CHECK(names.read("d/b") == "bytes");
    CHECK(names.inode("d/b")->nlink == 1);
    CHECK(names.problems() == "");
    REQUIRE(names.remove("d/b").ok());
    CHECK(names.live_bytes() == 5);
    CHECK(names.problems() == "");
}

TEST_CASE("a write through one of several names shows in the Last-Modified of all") {
    SimNamespace names;
    REQUIRE(names.put("a", "bytes").ok());
    REQUIRE(names.link(names.id("a"), names.bucket, "b").ok());
    REQUIRE(names.write(names.id("a"), 0, "BYTES").ok());
    for (const char* key : {"a", "b"}) {
        CHECK(last_modified(*names.entry(key), *names.inode(key)) == names.now);
    }
    SetAttributesOp touch;
    touch.inode = names.id("a");
    touch.mtime = names.now + 500;
    touch.time = names.tick();
    const UnixNanos written = last_modified(*names.entry("a"), *names.inode("a"));
    REQUIRE(names.run(touch).ok());
    CHECK(last_modified(*names.entry("a"), *names.inode("a")) == written);
}

TEST_CASE("links are refused to directories, to what is removed, and beyond 65,000") {
    SimNamespace names;
    REQUIRE(names.make_directory(names.bucket, "d").ok());
    check_error(
        names.link(names.id("d/"), names.bucket, "e"), Code::permission_denied, Why::not_permitted);
    REQUIRE(names.put("a", "x").ok());
    const InodeId id = names.id("a");
    check_error(names.link(id, names.bucket, "d"), Code::already_exists);
    check_error(names.link(id, names.bucket, "a"), Code::already_exists);
    (*names.tables.edit_inode(id))->nlink = 65'000;
    check_error(names.link(id, names.bucket, "b"), Code::conflict, Why::too_many_links);
    (*names.tables.edit_inode(id))->nlink = 1;
    names.tables.holds = {id};
    REQUIRE(names.unlink(names.bucket, "a").ok());
    check_error(names.link(id, names.bucket, "b"), Code::not_found);
    check_error(names.link(9999, names.bucket, "b"), Code::not_found, Why::stale);
    CHECK(names.problems() == "");
}

TEST_CASE("symbolic links can have several names") {
    SimNamespace names;
    REQUIRE(names.create(names.bucket, "s", FileType::symlink).ok());
    REQUIRE(names.link(names.id("s"), names.bucket, "t").ok());
    REQUIRE(names.unlink(names.bucket, "s").ok());
    CHECK(names.inode("t")->nlink == 1);
    CHECK(names.problems() == "");
}

TEST_CASE("unlink tells what it removed and what is left") {
    SimNamespace names;
    REQUIRE(names.put("a", "x").ok());
    REQUIRE(names.link(names.id("a"), names.bucket, "b").ok());
    const InodeId id = names.id("a");
    REQUIRE(names.unlink(names.bucket, "a").ok());
    CHECK(names.result.before->nlink == 2);
    REQUIRE(names.result.inode != nullptr);
    CHECK(names.result.inode->nlink == 1);
    CHECK(names.result.inode->ctime == names.now);
    CHECK(names.result.parent_after->directory.children + 1 ==
          names.result.parent_before->directory.children);
    REQUIRE(names.unlink(names.bucket, "b").ok());
    CHECK(names.result.before->id == id);
    CHECK(names.result.inode == nullptr);
    CHECK(names.live_bytes() == 0);
    check_error(names.unlink(names.bucket, "b"), Code::not_found);
    CHECK(names.problems() == "");
}

TEST_CASE("POSIX sees the directory of a and a/b: unlink is EISDIR, rmdir uncovers the object") {
    SimNamespace names;
    REQUIRE(names.put("a", "object").ok());
    REQUIRE(names.put("a/b", "below").ok());
    check_error(names.unlink(names.bucket, "a"), Code::conflict, Why::is_directory);
    check_error(names.rmdir(names.bucket, "a"), Code::conflict, Why::not_empty);
    REQUIRE(names.unlink(names.id("a/"), "b").ok());
    REQUIRE(names.rmdir(names.bucket, "a").ok());
    CHECK(names.read("a") == "object");
    REQUIRE(names.unlink(names.bucket, "a").ok());
    CHECK(names.problems() == "");
}

TEST_CASE("rmdir wants an empty directory") {
    SimNamespace names;
    REQUIRE(names.put("f", "x").ok());
    check_error(names.rmdir(names.bucket, "f"), Code::conflict, Why::not_directory);
    check_error(names.rmdir(names.bucket, "none"), Code::not_found);
    REQUIRE(names.put("d//hidden", "x").ok());
    check_error(names.rmdir(names.bucket, "d"), Code::conflict, Why::not_empty);
    REQUIRE(names.remove("d//hidden").ok());
    CHECK(!names.entry("d/"));
    REQUIRE(names.make_directory(names.bucket, "d").ok());
    const std::uint32_t links = names.inode(names.bucket)->nlink;
    REQUIRE(names.rmdir(names.bucket, "d").ok());
    CHECK(names.result.inode == nullptr);
    CHECK(names.inode(names.bucket)->nlink == links - 1);
    CHECK(names.problems() == "");
}

TEST_CASE("each name has a cookie of its own that it keeps") {
    SimNamespace names;
    REQUIRE(names.put("a", "object").ok());
    REQUIRE(names.put("a/b", "below").ok());
    CHECK(names.entry("a")->cookie != names.entry("a/")->cookie);
    const std::uint64_t cookie = names.entry("a")->cookie;
    for (int i = 0; i < 3; ++i) REQUIRE(names.put("a", "again").ok());
    CHECK(names.entry("a")->cookie == cookie);
    CHECK(names.problems() == "");
}
