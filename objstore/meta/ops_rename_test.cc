#include <doctest/doctest.h>

#include "tests/sim/check_status.h"
#include "tests/sim/sim_namespace.h"

using namespace objstore;
using tests::check_error;
using tests::SimNamespace;
using Keys = std::vector<std::string>;

namespace {

RenameOp rename_op(SimNamespace& names, std::string_view from, std::string_view to) {
    const auto cut = [&](std::string_view path) {
        const std::size_t slash = path.rfind('/');
        const bool top = slash == std::string_view::npos;
        return std::pair(names.id(top ? "" : path.substr(0, slash + 1)),
                         std::string(top ? path : path.substr(slash + 1)));
    };
    RenameOp op;
    std::tie(op.parent, op.name) = cut(from);
    std::tie(op.new_parent, op.new_name) = cut(to);
    op.time = names.tick();
    return op;
}

Status move(SimNamespace& names, std::string_view from, std::string_view to) {
    return names.run(rename_op(names, from, to));
}

Status exchange(SimNamespace& names, std::string_view from, std::string_view to) {
    RenameOp op = rename_op(names, from, to);
    op.exchange = true;
    return names.run(op);
}

}  // namespace

TEST_CASE("a renamed file is the same inode under a key with a new date") {
    SimNamespace names;
    REQUIRE(names.put("a", "bytes").ok());
    REQUIRE(names.make_directory(names.bucket, "d").ok());
    const InodeId id = names.id("a");
    const std::uint64_t cookie = names.entry("a")->cookie;
    const std::uint64_t generation = names.inode("a")->generation;
    REQUIRE(move(names, "a", "d/b").ok());
    CHECK(!names.entry("a"));
    CHECK(names.id("d/b") == id);
    CHECK(names.entry("d/b")->last_modified == names.now);
    CHECK(names.entry("d/b")->cookie != cookie);
    CHECK(names.inode(id)->ctime == names.now);
    CHECK(names.inode(id)->generation == generation);
    CHECK(names.inode(id)->parent == names.id("d/"));
    CHECK(names.inode(id)->name == "b");
    CHECK(names.inode(names.bucket)->mtime == names.now);
    CHECK(names.inode("d/")->mtime == names.now);
    CHECK(names.result.parent_before->directory.children == 2);
    CHECK(names.result.parent_after->directory.children == 1);
    CHECK(names.result.new_parent_before->directory.children == 0);
    CHECK(names.result.new_parent_after->directory.children == 1);
    CHECK(names.result.inode->id == id);
    CHECK(names.result.entry == *names.entry("d/b"));
    CHECK(names.problems() == "");
}

TEST_CASE("a file replaces a file, and takes over its cookie") {
    SimNamespace names;
    REQUIRE(names.put("a", "new").ok());
    REQUIRE(names.put("b", "old content").ok());
    const Entry old = *names.entry("b");
    REQUIRE(move(names, "a", "b").ok());
    CHECK(names.read("b") == "new");
    CHECK(names.entry("b")->cookie == old.cookie);
    CHECK(names.result.before->id == old.inode);
    CHECK(names.inode(old.inode) == nullptr);
    CHECK(names.live_bytes() == 3);
    CHECK(names.problems() == "");
}

TEST_CASE("an open file that a rename replaces becomes an orphan") {
    SimNamespace names;
    REQUIRE(names.put("a", "new").ok());
    REQUIRE(names.put("b", "old").ok());
    const InodeId old = names.id("b");
    names.tables.holds = {old};
    REQUIRE(move(names, "a", "b").ok());
    CHECK(names.read(old) == "old");
    CHECK(names.inode(old)->nlink == 0);
    CHECK(names.problems() == "");
}

TEST_CASE("a directory is renamed with all below, whose dates stay") {
    SimNamespace names;
    REQUIRE(names.put("a/b/c", "x").ok());
    const UnixNanos put_at = names.now;
    REQUIRE(move(names, "a", "z").ok());
    CHECK(names.list() == Keys{"z/b/c"});
    CHECK(names.entry("z/b/c")->last_modified == put_at);
    CHECK(names.inode("z/")->directory.kind == DirectoryKind::made);
    CHECK(names.inode("z/b/")->directory.kind == DirectoryKind::implied);
    CHECK(names.problems() == "");
}

TEST_CASE("a directory that moves takes its links and visibility along") {
    SimNamespace names;
    REQUIRE(names.put("from/d/x", "x").ok());
    REQUIRE(names.make_directory(names.bucket, "to").ok());
    REQUIRE(names.create(names.id("to/"), "s", FileType::symlink).ok());
    CHECK(names.inode(names.bucket)->directory.visible == 1);
    REQUIRE(move(names, "from/d", "to/d").ok());
    CHECK(names.list() == Keys{"from/", "to/d/x"});
    CHECK(names.inode("from/")->nlink == 2);
    CHECK(names.inode("to/")->nlink == 3);
    CHECK(names.inode("to/")->directory.visible == 1);
    CHECK(names.problems() == "");
}

TEST_CASE("a directory replaces an empty one and no other") {
    SimNamespace names;
    REQUIRE(names.put("a/x", "x").ok());
    REQUIRE(names.put("full/x", "x").ok());
    REQUIRE(names.put("hidden//x", "x").ok());
    REQUIRE(names.make_directory(names.bucket, "empty").ok());
    check_error(move(names, "a", "full"), Code::conflict, Why::not_empty);
    check_error(move(names, "a", "hidden"), Code::conflict, Why::not_empty);
    const InodeId replaced = names.id("empty/");
    const std::uint64_t cookie = names.entry("empty/")->cookie;
    REQUIRE(move(names, "a", "empty").ok());
    CHECK(names.inode(replaced) == nullptr);
    CHECK(names.entry("empty/")->cookie == cookie);
    CHECK(names.read("empty/x") == "x");
    CHECK(names.problems() == "");
}

TEST_CASE("a replaced directory's marker goes with it") {
    SimNamespace names;
    REQUIRE(names.put("a/x", "x").ok());
    REQUIRE(names.put("m/", "marker body").ok());
    REQUIRE(move(names, "a", "m").ok());
    CHECK(names.list() == Keys{"m/x"});
    CHECK(names.live_bytes() == 1);
    CHECK(names.problems() == "");
}

TEST_CASE("files and directories do not replace each other") {
    SimNamespace names;
    REQUIRE(names.put("f", "x").ok());
    REQUIRE(names.make_directory(names.bucket, "d").ok());
    check_error(move(names, "f", "d"), Code::conflict, Why::is_directory);
    check_error(move(names, "d", "f"), Code::conflict, Why::not_directory);
    CHECK(names.problems() == "");
}

TEST_CASE("a directory can not move below itself") {
    SimNamespace names;
    REQUIRE(names.put("a/b/c/d", "x").ok());
    check_error(move(names, "a", "a/x"), Code::invalid_argument);
    check_error(move(names, "a", "a/b/c/x"), Code::invalid_argument);
    check_error(move(names, "a/b", "a/b/c/x"), Code::invalid_argument);
    check_error(move(names, "a/b/c", "a"), Code::conflict, Why::not_empty);
    CHECK(move(names, "a/b/c", "a/c").ok());
    CHECK(names.problems() == "");
}

TEST_CASE("a shadowed object neither moves with a directory nor blocks it") {
    SimNamespace names;
    REQUIRE(names.put("a", "object").ok());
    REQUIRE(names.put("a/x", "below").ok());
    REQUIRE(names.put("b", "other").ok());
    REQUIRE(names.put("b/y", "y").ok());
    REQUIRE(names.unlink(names.id("b/"), "y").ok());
    REQUIRE(move(names, "a", "b").ok());  // over the empty b/, which shadows an object too
    CHECK(names.list() == Keys{"a", "b", "b/x"});
    CHECK(names.read("a") == "object");
    CHECK(names.read("b") == "other");
    REQUIRE(move(names, "a", "c").ok());  // now a file
    CHECK(names.list() == Keys{"b", "b/x", "c"});
    CHECK(names.problems() == "");
}

TEST_CASE("two names of one file, and one name, stay as they are") {
    SimNamespace names;
    REQUIRE(names.put("a", "x").ok());
    REQUIRE(names.link(names.id("a"), names.bucket, "b").ok());
    REQUIRE(move(names, "a", "b").ok());
    CHECK(names.list() == Keys{"a", "b"});
    REQUIRE(move(names, "a", "a").ok());
    REQUIRE(names.make_directory(names.bucket, "d").ok());
    REQUIRE(move(names, "d", "d").ok());
    CHECK(names.list() == Keys{"a", "b", "d/"});
    CHECK(names.problems() == "");
}

TEST_CASE("the last of several links knows its name again once it is renamed") {
    SimNamespace names;
    REQUIRE(names.put("a", "x").ok());
    const InodeId id = names.id("a");
    REQUIRE(names.link(id, names.bucket, "b").ok());
    REQUIRE(move(names, "b", "c").ok());
    CHECK(names.inode(id)->parent == 0);
    REQUIRE(names.unlink(names.bucket, "a").ok());
    CHECK(names.inode(id)->parent == 0);
    REQUIRE(move(names, "c", "d").ok());
    CHECK(names.inode(id)->parent == names.bucket);
    CHECK(names.inode(id)->name == "d");
    CHECK(names.problems() == "");
}

TEST_CASE("what is not there can not be renamed") {
    SimNamespace names;
    check_error(move(names, "a", "b"), Code::not_found);
    REQUIRE(names.put("f", "x").ok());
    RenameOp op{names.id("f"), "a", names.bucket, "b"};
    check_error(names.run(op), Code::conflict, Why::not_directory);
}

TEST_CASE("no_replace refuses a name that is taken") {
    SimNamespace names;
    REQUIRE(names.put("a", "a").ok());
    REQUIRE(names.put("b", "b").ok());
    RenameOp op = rename_op(names, "a", "b");
    op.no_replace = true;
    check_error(names.run(op), Code::already_exists);
    CHECK(names.result.before->id == names.id("b"));
    op.new_name = "c";
    CHECK(names.run(op).ok());
    op.exchange = true;
    check_error(names.run(op), Code::invalid_argument);
}

TEST_CASE("an exchange swaps files, directories, and one with the other") {
    SimNamespace names;
    REQUIRE(names.put("f", "file").ok());
    REQUIRE(names.put("d/x", "below").ok());
    REQUIRE(names.make_directory(names.bucket, "p").ok());
    REQUIRE(names.put("p/g", "other").ok());
    const std::uint64_t f = names.entry("f")->cookie;
    const std::uint64_t g = names.entry("p/g")->cookie;
    REQUIRE(exchange(names, "f", "p/g").ok());
    CHECK(names.read("f") == "other");
    CHECK(names.read("p/g") == "file");
    CHECK(names.entry("f")->cookie == f);
    CHECK(names.entry("p/g")->cookie == g);
    CHECK(names.problems() == "");
    REQUIRE(exchange(names, "d", "p/g").ok());
    CHECK(names.list() == Keys{"d", "f", "p/g/x"});
    CHECK(names.inode("p/g/")->directory.kind == DirectoryKind::made);
    CHECK(names.problems() == "");
    REQUIRE(exchange(names, "d", "f").ok());
    CHECK(names.read("d") == "other");
    CHECK(names.problems() == "");
    check_error(exchange(names, "d", "none"), Code::not_found);
    check_error(exchange(names, "p", "p/g"), Code::invalid_argument);
    check_error(exchange(names, "p/g", "p"), Code::invalid_argument);
}

TEST_CASE("an exchange never destroys an object that a directory shadows") {
    SimNamespace names;
    REQUIRE(names.put("f", "file").ok());
    REQUIRE(names.put("d", "shadowed").ok());
    REQUIRE(names.put("d/x", "below").ok());
    check_error(exchange(names, "f", "d"), Code::already_exists);
    check_error(exchange(names, "d", "f"), Code::already_exists);
    CHECK(names.list() == Keys{"d", "d/x", "f"});
    CHECK(names.problems() == "");
}

TEST_CASE("a rename out of an implied directory through a mount makes it") {
    SimNamespace names;
    REQUIRE(names.put("a/x", "x").ok());
    REQUIRE(names.put("b/y", "y").ok());
    REQUIRE(move(names, "a/x", "b/x").ok());
    CHECK(names.list() == Keys{"a/", "b/x", "b/y"});
    CHECK(names.inode("b/")->directory.kind == DirectoryKind::made);
    CHECK(names.problems() == "");
}
