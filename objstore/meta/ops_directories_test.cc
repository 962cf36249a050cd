#include <doctest/doctest.h>

#include "objstore/meta/visibility.h"
#include "tests/sim/check_status.h"
#include "tests/sim/sim_namespace.h"

using namespace objstore;
using tests::check_error;
using tests::SimNamespace;
using Keys = std::vector<std::string>;

TEST_CASE("implied directories go with their last key, all the way up") {
    SimNamespace names;
    REQUIRE(names.put("a/b/c", "x").ok());
    REQUIRE(names.put("a/d", "x").ok());
    REQUIRE(names.remove("a/b/c").ok());
    CHECK(!names.entry("a/b/"));
    CHECK(names.entry("a/"));
    REQUIRE(names.remove("a/d").ok());
    CHECK(!names.entry("a/"));
    CHECK(names.inode(names.bucket)->directory.children == 0);
    CHECK(names.problems() == "");
}

TEST_CASE("an implied directory in use is pruned later") {
    SimNamespace names;
    REQUIRE(names.put("a/b/c", "x").ok());
    const InodeId directory = names.id("a/b/");
    names.tables.used = {directory};
    REQUIRE(names.remove("a/b/c").ok());
    CHECK(names.id("a/b/") == directory);
    CHECK(names.list().empty());
    CHECK(names.tables.prunes == std::set<InodeId>{directory});
    REQUIRE(names.run(PruneOp{directory, names.tick()}).ok());
    CHECK(names.id("a/b/") == directory);  // still in use
    names.tables.used.clear();
    names.tables.holds = {directory};
    REQUIRE(names.run(PruneOp{directory, names.tick()}).ok());
    CHECK(names.id("a/b/") == directory);  // held
    names.tables.holds.clear();
    REQUIRE(names.run(PruneOp{directory, names.tick()}).ok());
    CHECK(!names.entry("a/"));
    REQUIRE(names.run(PruneOp{directory, names.tick()}).ok());  // gone already
    CHECK(names.problems() == "");
}

TEST_CASE("a prune leaves what is made, marked, full or a bucket") {
    SimNamespace names;
    REQUIRE(names.make_directory(names.bucket, "made").ok());
    REQUIRE(names.put("marker/", "").ok());
    REQUIRE(names.put("full/x", "").ok());
    REQUIRE(names.put("file", "").ok());
    for (const char* key : {"made/", "marker/", "full/", "", "file"}) {
        REQUIRE(names.run(PruneOp{names.id(key), names.tick()}).ok());
        CHECK(names.id(key) != 0);
    }
    CHECK(names.problems() == "");
}

TEST_CASE("creating in an implied directory through a mount makes it") {
    SimNamespace names;
    REQUIRE(names.put("a/b", "x").ok());
    REQUIRE(names.make_file(names.id("a/"), "f").ok());
    CHECK(names.inode("a/")->directory.kind == DirectoryKind::made);
    REQUIRE(names.remove("a/b").ok());
    REQUIRE(names.remove("a/f").ok());
    CHECK(names.entry("a/"));
    CHECK(names.list() == Keys{"a/"});
    CHECK(names.problems() == "");
}

TEST_CASE("chmod, xattrs and renames of an implied directory make it; reading does not") {
    SimNamespace names;
    for (int how = 0; how < 4; ++how) {
        CAPTURE(how);
        REQUIRE(names.put("a/b", "x").ok());
        const InodeId id = names.id("a/");
        if (how == 0)
            REQUIRE(
                names.run(SetAttributesOp{.inode = id, .mode = 0700, .time = names.tick()}).ok());
        if (how == 1) {
            REQUIRE(names.set_xattr(id, "user.x", "1").ok());
        }
        if (how == 2) {
            REQUIRE(names.rename(names.bucket, "a", "t").ok());
            REQUIRE(names.rename(names.bucket, "t", "a").ok());
        }
        if (how == 3) REQUIRE(names.run(SetAttributesOp{.inode = id, .atime = 5}).ok());
        const bool made = names.inode(id)->directory.kind == DirectoryKind::made;
        CHECK(made == (how != 3));
        REQUIRE(names.remove("a/b").ok());
        CHECK(names.list() == (made ? Keys{"a/"} : Keys{}));
        CHECK(names.problems() == "");
        REQUIRE(names.remove("a/").ok());
        CHECK(names.inode(id) == nullptr);
    }
}

TEST_CASE("a made directory is listed as a key only while it is empty") {
    SimNamespace names;
    REQUIRE(names.make_directory(names.bucket, "d").ok());
    CHECK(names.list() == Keys{"d/"});
    CHECK(names.inode(names.bucket)->directory.visible == 1);
    REQUIRE(names.put("d/x", "x").ok());
    CHECK(names.list() == Keys{"d/x"});
    REQUIRE(names.remove("d/x").ok());
    CHECK(names.list() == Keys{"d/"});
    CHECK(names.problems() == "");
}

TEST_CASE("a made directory with nothing but a symbolic link shows nowhere") {
    SimNamespace names;
    REQUIRE(names.make_directory(names.bucket, "d").ok());
    REQUIRE(names.make_directory(names.id("d/"), "e").ok());
    CHECK(names.list() == Keys{"d/e/"});
    REQUIRE(names.create(names.id("d/e/"), "s", FileType::symlink).ok());
    CHECK(names.list().empty());
    CHECK(names.inode("d/")->directory.visible == 0);
    CHECK(names.inode(names.bucket)->directory.visible == 0);
    CHECK(names.problems() == "");
    REQUIRE(names.unlink(names.id("d/e/"), "s").ok());
    CHECK(names.list() == Keys{"d/e/"});
    CHECK(names.inode(names.bucket)->directory.visible == 1);
    CHECK(names.problems() == "");
}

TEST_CASE("whether a key lies below reaches the directories above, and moves no change counter") {
    SimNamespace names;
    REQUIRE(names.make_directory(names.bucket, "a").ok());
    REQUIRE(names.make_directory(names.id("a/"), "b").ok());
    REQUIRE(names.create(names.id("a/b/"), "s", FileType::symlink).ok());
    const std::uint64_t above = names.inode("a/")->change;
    const std::uint64_t own = names.inode("a/b/")->change;
    REQUIRE(names.make_file(names.id("a/b/"), "f").ok());
    CHECK(names.inode("a/")->directory.visible == 1);
    CHECK(names.inode(names.bucket)->directory.visible == 1);
    CHECK(names.inode("a/")->change == above);
    CHECK(names.inode("a/b/")->change > own);
    CHECK(names.problems() == "");
}

TEST_CASE("DELETE of a/ removes an empty made directory, and changes nothing of a full one") {
    SimNamespace names;
    REQUIRE(names.make_directory(names.bucket, "d").ok());
    REQUIRE(names.put("d/x", "x").ok());
    REQUIRE(names.remove("d/").ok());
    CHECK(names.result.before == nullptr);
    CHECK(names.list() == Keys{"d/x"});
    REQUIRE(names.remove("d/x").ok());
    REQUIRE(names.remove("d/").ok());
    CHECK(names.result.before != nullptr);
    CHECK(!names.entry("d/"));
    CHECK(names.problems() == "");
}

TEST_CASE("DELETE of a/ prunes what it leaves empty above") {
    SimNamespace names;
    REQUIRE(names.put("a/b/x", "x").ok());
    REQUIRE(names.make_directory(names.id("a/b/"), "d").ok());
    REQUIRE(names.remove("a/b/x").ok());
    REQUIRE(names.remove("a/b/d/").ok());
    CHECK(names.list() == Keys{"a/b/"});  // made by the mkdir in it
    REQUIRE(names.remove("a/b/").ok());
    CHECK(!names.entry("a/"));
    CHECK(names.problems() == "");
}

TEST_CASE("DELETE of a/ does nothing to an implied directory") {
    SimNamespace names;
    REQUIRE(names.put("a/b", "x").ok());
    REQUIRE(names.remove("a/").ok());
    CHECK(names.result.before == nullptr);
    CHECK(names.list() == Keys{"a/b"});
}

TEST_CASE("a marker has a body and is listed also when it is not empty") {
    SimNamespace names;
    PutObjectOp op = names.put_op("m/", "body");
    op.inode.headers = {{"content-type", "text/plain"}};
    REQUIRE(names.run(op).ok());
    CHECK(names.read("m/") == "body");
    CHECK(names.inode("m/")->is_directory());
    CHECK(names.inode("m/")->headers == op.inode.headers);
    CHECK(last_modified(*names.entry("m/"), *names.inode("m/")) == names.now);
    REQUIRE(names.put("m/x", "x").ok());
    CHECK(names.list() == Keys{"m/", "m/x"});
    CHECK(names.problems() == "");
    REQUIRE(names.put("m/", "another").ok());
    CHECK(names.read("m/") == "another");
    CHECK(names.live_bytes() == 8);
    CHECK(names.problems() == "");
}

TEST_CASE("DELETE of a marker prunes an implied directory that is left empty") {
    SimNamespace names;
    REQUIRE(names.put("p/m/", "body").ok());
    REQUIRE(names.remove("p/m/").ok());
    CHECK(names.result.before != nullptr);
    CHECK(!names.entry("p/"));
    CHECK(names.live_bytes() == 0);
    CHECK(names.problems() == "");
}

TEST_CASE("DELETE of a marker leaves a made directory when a mount made it") {
    SimNamespace names;
    REQUIRE(names.make_directory(names.bucket, "m").ok());
    REQUIRE(names.put("m/", "body").ok());
    REQUIRE(names.remove("m/").ok());
    CHECK(names.list() == Keys{"m/"});
    CHECK(names.inode("m/")->size == 0);
    CHECK(names.inode("m/")->headers.empty());
    CHECK(names.inode("m/")->etag.to_string() == "d41d8cd98f00b204e9800998ecf8427e");
    CHECK(names.live_bytes() == 0);
    CHECK(names.problems() == "");
}

TEST_CASE("DELETE of a marker with keys below leaves the directory to them") {
    SimNamespace names;
    REQUIRE(names.put("m/", "body").ok());
    REQUIRE(names.put("m/x", "x").ok());
    REQUIRE(names.remove("m/").ok());
    CHECK(names.list() == Keys{"m/x"});
    CHECK(names.inode("m/")->directory.kind == DirectoryKind::implied);
    REQUIRE(names.remove("m/x").ok());
    CHECK(names.list().empty());
    CHECK(!names.entry("m/"));
    CHECK(names.problems() == "");
}

TEST_CASE("rmdir removes an empty directory with its marker, and its bytes") {
    SimNamespace names;
    REQUIRE(names.put("m/", "body").ok());
    REQUIRE(names.rmdir(names.bucket, "m").ok());
    CHECK(names.list().empty());
    CHECK(names.live_bytes() == 0);
    CHECK(names.problems() == "");
}

TEST_CASE("a rename carries the marker") {
    SimNamespace names;
    REQUIRE(names.put("m/", "body").ok());
    REQUIRE(names.put("m/x", "x").ok());
    REQUIRE(names.rename(names.bucket, "m", "n").ok());
    CHECK(names.list() == Keys{"n/", "n/x"});
    CHECK(names.read("n/") == "body");
    CHECK(names.problems() == "");
}

TEST_CASE("a marker for a directory that is there keeps its owner and mode") {
    SimNamespace names;
    REQUIRE(names.make_directory(names.bucket, "d").ok());
    PutObjectOp op = names.put_op("d/", "");
    op.mode = 0700;
    REQUIRE(names.run(op).ok());
    CHECK(names.inode("d/")->mode == 0640);
    CHECK(names.inode("d/")->uid == 500);
    PutObjectOp fresh = names.put_op("e/", "");
    fresh.mode = 0700;
    fresh.owner = std::pair(7U, 8U);
    REQUIRE(names.run(fresh).ok());
    CHECK(names.inode("e/")->mode == 0700);
    CHECK(names.inode("e/")->uid == 7);
    CHECK(names.problems() == "");
}

TEST_CASE("conditions see a marker and a made directory under a/, and no implied one") {
    SimNamespace names;
    REQUIRE(names.put("implied/x", "x").ok());
    REQUIRE(names.make_directory(names.bucket, "made").ok());
    REQUIRE(names.put("marker/", "body").ok());
    for (const char* key : {"made/", "marker/"}) {
        PutObjectOp op = names.put_op(key, "x");
        op.conditions.if_none_match = {"*"};
        check_error(names.run(op), Code::conflict, Why::precondition);
    }
    PutObjectOp implied = names.put_op("implied/", "x");
    implied.conditions.if_match = {"*"};
    check_error(names.run(implied), Code::not_found);
    implied.conditions = {};
    implied.conditions.if_none_match = {"*"};
    REQUIRE(names.run(implied).ok());
    PutObjectOp empty = names.put_op("made/", "x");
    empty.conditions.if_match = {"d41d8cd98f00b204e9800998ecf8427e"};
    REQUIRE(names.run(empty).ok());
    CHECK(names.problems() == "");
}

TEST_CASE("headers put on a made directory's key make it a marker") {
    SimNamespace names;
    REQUIRE(names.make_directory(names.bucket, "d").ok());
    PutHeadersOp op;
    op.bucket = names.bucket;
    op.key = "d/";
    op.generation = names.inode("d/")->generation;
    op.headers = {{"x-amz-meta-mode", "16877"}};
    op.time = names.tick();
    REQUIRE(names.run(op).ok());
    CHECK(names.inode("d/")->directory.marker);
    CHECK(names.inode("d/")->headers == op.headers);
    CHECK(names.problems() == "");
}

TEST_CASE("unlink of the last file leaves an implied directory to the mount that did it") {
    SimNamespace names;
    REQUIRE(names.put("a/b", "x").ok());
    REQUIRE(names.unlink(names.id("a/"), "b").ok());
    CHECK(names.entry("a/"));
    CHECK(names.list().empty());
    CHECK(names.problems() == "");
}
