#include "objstore/meta/ops_attributes.h"

#include <doctest/doctest.h>

#include "tests/sim/check_status.h"
#include "tests/sim/sim_namespace.h"

using namespace objstore;
using tests::check_error;
using tests::SimNamespace;

namespace {

SetAttributesOp attributes_op(SimNamespace& names, InodeId inode) {
    SetAttributesOp op;
    op.inode = inode;
    op.time = names.tick();
    return op;
}

}  // namespace

TEST_CASE("a bucket's new owner and permissions are those of what keys make from then on") {
    SimNamespace names;
    SetAttributesOp op = attributes_op(names, names.bucket);
    op.uid = 5;
    op.gid = 6;
    op.mode = 0770;
    REQUIRE(names.run(op).ok());
    REQUIRE(names.put("d/k", "x").ok());
    CHECK(names.inode("d/k")->uid == 5);
    CHECK(names.inode("d/k")->gid == 6);
    CHECK(names.inode("d/k")->mode == 0660);
    CHECK(names.inode("d/")->uid == 5);
    CHECK(names.inode("d/")->mode == 0770);
    CHECK(names.problems() == "");
}

TEST_CASE("attributes change as asked, with ctime and the change counter") {
    SimNamespace names;
    REQUIRE(names.put("k", "x").ok());
    const Inode before = *names.inode("k");
    SetAttributesOp op = attributes_op(names, before.id);
    op.mode = 0177777;
    op.uid = 5;
    op.gid = 6;
    op.atime = 1000;
    op.mtime = -2000;
    REQUIRE(names.run(op).ok());
    const Inode after = *names.inode("k");
    CHECK(after.mode == 07777);
    CHECK(after.uid == 5);
    CHECK(after.gid == 6);
    CHECK(after.atime == 1000);
    CHECK(after.mtime == -2000);
    CHECK(after.ctime == names.now);
    CHECK(after.change > before.change);
    CHECK(after.generation == before.generation);
    CHECK(after.etag == before.etag);
    CHECK(*names.result.before == before);
    CHECK(*names.result.inode == after);
    check_error(names.run(attributes_op(names, 9999)), Code::not_found, Why::stale);
}

TEST_CASE("a guard refuses a change of what has changed since") {
    SimNamespace names;
    REQUIRE(names.put("k", "x").ok());
    SetAttributesOp op = attributes_op(names, names.id("k"));
    op.mode = 0600;
    op.guard_ctime = names.inode("k")->ctime + 1;
    check_error(names.run(op), Code::conflict, Why::precondition);
    CHECK(names.inode("k")->mode == 0644);
    op.guard_ctime = names.inode("k")->ctime;
    REQUIRE(names.run(op).ok());
    CHECK(names.inode("k")->mode == 0600);
}

TEST_CASE("giving a file away takes setuid, and setgid where the group may execute") {
    SimNamespace names;
    REQUIRE(names.put("k", "x").ok());
    REQUIRE(names.make_directory(names.bucket, "d").ok());
    const auto chown = [&](std::string_view key, std::uint32_t mode) {
        SetAttributesOp op = attributes_op(names, names.id(key));
        op.mode = mode;
        op.uid = 9;
        op.clear_setid = true;
        REQUIRE(names.run(op).ok());
        return names.inode(key)->mode;
    };
    CHECK(chown("k", 06755) == 0755);
    CHECK(chown("k", 06745) == 02745);
    CHECK(chown("d/", 02755) == 02755);
}

TEST_CASE("atime by reading is no change") {
    SimNamespace names;
    REQUIRE(names.put("a/k", "x").ok());
    SetAttributesOp op;
    op.inode = names.id("a/");
    op.atime = 99;
    const UnixNanos ctime = names.inode("a/")->ctime;
    REQUIRE(names.run(op).ok());
    CHECK(names.inode("a/")->atime == 99);
    CHECK(names.inode("a/")->ctime == ctime);
    CHECK(names.inode("a/")->directory.kind == DirectoryKind::implied);
}

TEST_CASE("attributes of a removed file that is open can change") {
    SimNamespace names;
    REQUIRE(names.put("k", "x").ok());
    const InodeId id = names.id("k");
    names.tables.holds = {id};
    REQUIRE(names.unlink(names.bucket, "k").ok());
    SetAttributesOp op = attributes_op(names, id);
    op.mode = 0600;
    CHECK(names.run(op).ok());
    CHECK(names.set_xattr(id, "user.x", "1").ok());
    CHECK(names.write(id, 0, "y").ok());
    CHECK(names.problems() == "");
    names.tables.holds.clear();
    REQUIRE(names.run(ReapOp{id}).ok());
    CHECK(names.problems() == "");
}

TEST_CASE("a removed directory that is open can be changed and stays removed") {
    SimNamespace names;
    REQUIRE(names.put("d/x", "x").ok());
    REQUIRE(names.unlink(names.id("d/"), "x").ok());
    const InodeId id = names.id("d/");
    names.tables.holds = {id};
    REQUIRE(names.rmdir(names.bucket, "d").ok());
    SetAttributesOp op = attributes_op(names, id);
    op.mode = 0700;
    REQUIRE(names.run(op).ok());
    CHECK(names.inode(id)->nlink == 0);
    CHECK(names.problems() == "");
}

TEST_CASE("xattrs are set, replaced and removed") {
    SimNamespace names;
    REQUIRE(names.put("k", "x").ok());
    const InodeId id = names.id("k");
    REQUIRE(names.set_xattr(id, "user.a", "1").ok());
    REQUIRE(names.set_xattr(id, "user.b", "2").ok());
    REQUIRE(names.set_xattr(id, "user.a", "3").ok());
    CHECK((*names.tables.xattr(id, "user.a"))->value == "3");
    CHECK(names.inode(id)->has_xattrs);
    CHECK(names.inode(id)->ctime == names.now);
    CHECK(names.problems() == "");
    RemoveXattrOp op{id, "user.a", names.tick()};
    REQUIRE(names.run(op).ok());
    CHECK(names.inode(id)->has_xattrs);
    check_error(names.run(op), Code::not_found, Why::no_attribute);
    op.name = "user.b";
    REQUIRE(names.run(op).ok());
    CHECK(!names.inode(id)->has_xattrs);
    CHECK(names.problems() == "");
}

TEST_CASE("xattrs obey their flags and limits") {
    SimNamespace names;
    REQUIRE(names.put("k", "x").ok());
    SetXattrOp op;
    op.xattr = {names.id("k"), "user.a", "1"};
    op.must_exist = true;
    check_error(names.run(op), Code::not_found, Why::no_attribute);
    op.must_exist = false;
    op.must_be_absent = true;
    REQUIRE(names.run(op).ok());
    check_error(names.run(op), Code::already_exists);
    op = {};
    op.xattr = {names.id("k"), "", "1"};
    check_error(names.run(op), Code::invalid_argument);
    op.xattr.name = std::string(256, 'n');
    check_error(names.run(op), Code::invalid_argument, Why::name_too_long);
    op.xattr.name = "user.large";
    op.xattr.value = std::string(64 * 1024 + 1, 'v');
    check_error(names.run(op), Code::invalid_argument, Why::too_large);
    op.xattr.value.pop_back();
    CHECK(names.run(op).ok());
    for (int i = 0; i < 254; ++i) {
        REQUIRE(names.set_xattr(names.id("k"), "user.n" + std::to_string(i), "").ok());
    }
    check_error(names.set_xattr(names.id("k"), "user.more", ""), Code::no_space);
    CHECK(names.set_xattr(names.id("k"), "user.a", "again").ok());
    CHECK(names.problems() == "");
}

TEST_CASE("xattrs go with their inode") {
    SimNamespace names;
    REQUIRE(names.put("k", "x").ok());
    REQUIRE(names.set_xattr(names.id("k"), "user.a", "1").ok());
    REQUIRE(names.put("k", "y").ok());
    CHECK(names.tables.rows().xattrs.empty());
    CHECK(names.problems() == "");
}
