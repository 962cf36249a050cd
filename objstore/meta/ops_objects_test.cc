#include "objstore/meta/ops_objects.h"

#include <doctest/doctest.h>

#include "objstore/meta/ops_keys.h"
#include "objstore/meta/visibility.h"
#include "tests/sim/check_status.h"
#include "tests/sim/sim_namespace.h"

using namespace objstore;
using tests::check_error;
using tests::SimNamespace;
using Keys = std::vector<std::string>;

namespace {

// Runs the operation, which fails so and changes nothing.
void check_refused(SimNamespace& names, const Op& op, Code code, Why why = Why::none) {
    const auto entries = names.tables.rows().entries;
    const auto shared = names.tables.rows().shared;
    const auto live = names.live_bytes();
    check_error(names.run(op), code, why);
    CHECK(names.tables.rows().entries == entries);
    CHECK(names.tables.rows().shared == shared);
    CHECK(names.live_bytes() == live);
    CHECK(names.problems() == "");
}

DeleteObjectOp delete_op(SimNamespace& names, std::string_view key) {
    DeleteObjectOp op;
    op.bucket = names.bucket;
    op.key = key;
    op.time = names.tick();
    return op;
}

}  // namespace

TEST_CASE("a key is cut at its slashes, and an empty component is a directory of its own") {
    CHECK(split_key("a") == std::vector<std::string_view>{"a"});
    CHECK(split_key("a/b/c") == std::vector<std::string_view>{"a/", "b/", "c"});
    CHECK(split_key("a//b") == std::vector<std::string_view>{"a/", "/", "b"});
    CHECK(split_key("/a") == std::vector<std::string_view>{"/", "a"});
    CHECK(split_key("a/") == std::vector<std::string_view>{"a/"});
    CHECK(split_key("//") == std::vector<std::string_view>{"/", "/"});
}

TEST_CASE("a PUT makes the object and the directories on its way") {
    SimNamespace names;
    REQUIRE(names.put("a/b/c", "hello").ok());
    CHECK(names.read("a/b/c") == "hello");
    CHECK(names.list() == Keys{"a/b/c"});
    const Inode file = *names.inode("a/b/c");
    CHECK(file.mode == 0644);
    CHECK(file.uid == 1000);
    CHECK(file.gid == 1001);
    CHECK(file.mtime == names.now);
    CHECK(file.ctime == names.now);
    CHECK(file.btime == names.now);
    CHECK(file.nlink == 1);
    CHECK(file.etag == tests::etag_of("hello"));
    const Inode directory = *names.inode("a/b/");
    CHECK(directory.directory.kind == DirectoryKind::implied);
    CHECK(directory.mode == 0755);
    CHECK(directory.uid == 1000);
    CHECK(directory.mtime == names.now);
    CHECK(names.inode("a/")->directory.visible == 1);
    CHECK(names.inode(names.bucket)->directory.visible == 1);
    CHECK(names.problems() == "");
}

TEST_CASE("a PUT tells the object, its entry, and what it replaced") {
    SimNamespace names;
    REQUIRE(names.put("k", "one").ok());
    CHECK(names.result.before == nullptr);
    const InodeId first = names.result.inode->id;
    REQUIRE(names.put("k", "two").ok());
    REQUIRE(names.result.before != nullptr);
    CHECK(names.result.before->id == first);
    CHECK(names.result.inode->id != first);
    CHECK(names.result.inode->size == 3);
    CHECK(names.result.entry.name == "k");
    CHECK(names.result.entry.inode == names.result.inode->id);
    CHECK(names.result.entry.last_modified == names.now);
}

TEST_CASE("a PUT over a file swaps in a new inode and keeps cookie, owner and mode") {
    SimNamespace names;
    REQUIRE(names.put("k", "one").ok());
    const Entry before = *names.entry("k");
    SetAttributesOp chmod{.inode = before.inode, .mode = 04750, .uid = 5, .gid = 6};
    chmod.time = names.tick();
    REQUIRE(names.run(chmod).ok());
    const std::uint64_t parent_change = names.inode(names.bucket)->change;
    PutObjectOp op = names.put_op("k", "longer");
    op.mode = 0777;
    op.owner = std::pair(77U, 78U);
    REQUIRE(names.run(op).ok());
    const Entry after = *names.entry("k");
    CHECK(after.inode != before.inode);
    CHECK(after.cookie == before.cookie);
    const Inode file = *names.inode("k");
    CHECK(file.mode == 0750);  // never setuid: the bytes are another's
    CHECK(file.uid == 5);
    CHECK(file.gid == 6);
    CHECK(names.read("k") == "longer");
    CHECK(names.inode(before.inode) == nullptr);
    CHECK(names.live_bytes() == 6);
    CHECK(names.inode(names.bucket)->change > parent_change);
    CHECK(names.inode(names.bucket)->mtime == names.now);
    CHECK(names.problems() == "");
}

TEST_CASE("of S3 metadata a new file takes permissions and owner as given, and times") {
    SimNamespace names;
    PutObjectOp op = names.put_op("k", "x");
    op.mode = 06755;
    op.owner = std::pair(77U, 78U);
    op.inode.mtime = 12345;
    REQUIRE(names.run(op).ok());
    const Inode file = *names.inode("k");
    CHECK(file.mode == 0755);
    CHECK(file.uid == 77);
    CHECK(file.gid == 78);
    CHECK(file.mtime == 12345);
    CHECK(file.ctime == names.now);
    CHECK(last_modified(*names.entry("k"), file) == names.now);
}

TEST_CASE("a and a/b may both exist for S3") {
    SimNamespace names;
    REQUIRE(names.put("a", "object").ok());
    REQUIRE(names.put("a/b", "below").ok());
    CHECK(names.list() == Keys{"a", "a/b"});
    CHECK(names.read("a") == "object");
    REQUIRE(names.remove("a/b").ok());
    CHECK(names.list() == Keys{"a"});
    CHECK(names.entry("a/") == std::nullopt);
    CHECK(names.problems() == "");
}

TEST_CASE("listing order is that of the whole keys") {
    SimNamespace names;
    for (const char* key : {"a0", "a/b", "a-b", "a", "a/b/c", "a/b-c"}) {
        REQUIRE(names.put(key, key).ok());
    }
    CHECK(names.list() == Keys{"a", "a-b", "a/b", "a/b-c", "a/b/c", "a0"});
}

TEST_CASE("keys that no path can express live through S3 and are counted as hidden") {
    SimNamespace names;
    const Keys keys{"a//b", "/x", "./d", "a/..", "a/" + std::string(300, 'n')};
    for (const std::string& key : keys) {
        REQUIRE(names.put(key, key).ok());
        CHECK(names.read(key) == key);
    }
    CHECK(names.list().size() == 5);
    CHECK(names.inode("a/")->directory.hidden == 3);
    CHECK(names.inode(names.bucket)->directory.hidden == 2);
    CHECK(names.problems() == "");
    REQUIRE(names.remove("a//b").ok());
    CHECK(names.inode("a/")->directory.hidden == 2);
    CHECK(names.problems() == "");
}

TEST_CASE("a key has 1 to 1,024 bytes and no NUL") {
    SimNamespace names;
    REQUIRE(names.put(std::string(1024, 'k'), "x").ok());
    check_refused(names, names.put_op("", "x"), Code::invalid_argument);
    const std::string large(1025, 'k');
    check_refused(names, names.put_op(large, "x"), Code::invalid_argument, Why::name_too_long);
    check_refused(names, names.put_op(std::string_view("a\0b", 3), "x"), Code::invalid_argument);
    PutObjectOp op = names.put_op("k", "x");
    op.bucket = 99;
    check_refused(names, op, Code::not_found, Why::no_bucket);
}

TEST_CASE("content that does not fit the object is refused") {
    SimNamespace names;
    PutObjectOp beyond = names.put_op("k", "1234");
    beyond.inode.size = 3;
    check_refused(names, beyond, Code::invalid_argument);
    PutObjectOp overlap = names.put_op("k", "1234");
    overlap.content.extents.push_back(names.stored(3, "56").extents[0]);
    overlap.inode.size = 9;
    check_refused(names, overlap, Code::invalid_argument);
    PutObjectOp nowhere = names.put_op("k", "1234");
    nowhere.content.extents[0].volume = 99;
    check_refused(names, nowhere, Code::invalid_argument);
    PutObjectOp large = names.put_op("k", "");
    large.content = SimNamespace::kept(0, std::string(64 * 1024 + 1, 'x'));
    large.inode.size = 1 << 20;
    check_refused(names, large, Code::invalid_argument, Why::too_large);
    PutObjectOp empty = names.put_op("k", "1234");
    empty.content.extents[0].length = 0;
    check_refused(names, empty, Code::invalid_argument);
    PutObjectOp far = names.put_op("k", "1234");
    far.content.extents[0].logical_offset = std::uint64_t{1} << 63;
    check_refused(names, far, Code::invalid_argument, Why::too_large);
}

TEST_CASE("a PUT replaces symbolic links, FIFOs, devices and sockets") {
    SimNamespace names;
    for (const FileType type :
         {FileType::symlink, FileType::fifo, FileType::char_device, FileType::socket}) {
        REQUIRE(names.create(names.bucket, "s", type).ok());
        CHECK(names.list().empty());
        REQUIRE(names.put("s", "object").ok());
        CHECK(names.entry("s")->type == FileType::regular);
        CHECK(names.inode("s")->uid == 1000);  // the bucket's, not the link's
        CHECK(names.list() == Keys{"s"});
        CHECK(names.problems() == "");
        REQUIRE(names.remove("s").ok());
    }
}

TEST_CASE("a PUT below a symbolic link makes a directory that shadows it") {
    SimNamespace names;
    REQUIRE(names.create(names.bucket, "s", FileType::symlink).ok());
    REQUIRE(names.put("s/x", "below").ok());
    CHECK(names.list() == Keys{"s/x"});
    CHECK(names.entry("s")->type == FileType::symlink);
    CHECK(names.entry("s/")->type == FileType::directory);
    CHECK(names.problems() == "");
}

TEST_CASE("DELETE of symbolic links and of directories by their bare name does nothing") {
    SimNamespace names;
    REQUIRE(names.create(names.bucket, "s", FileType::symlink).ok());
    REQUIRE(names.make_directory(names.bucket, "d").ok());
    REQUIRE(names.remove("s").ok());
    CHECK(names.result.before == nullptr);
    REQUIRE(names.remove("d").ok());
    REQUIRE(names.remove("absent").ok());
    REQUIRE(names.remove("absent/x").ok());
    CHECK(names.entry("s"));
    CHECK(names.entry("d/"));
}

TEST_CASE("DELETE removes the object, tells it, and moves the parent's times") {
    SimNamespace names;
    REQUIRE(names.put("k", "bytes").ok());
    const InodeId id = names.id("k");
    REQUIRE(names.remove("k").ok());
    REQUIRE(names.result.before != nullptr);
    CHECK(names.result.before->id == id);
    CHECK(names.inode(id) == nullptr);
    CHECK(names.live_bytes() == 0);
    CHECK(names.inode(names.bucket)->mtime == names.now);
    CHECK(names.problems() == "");
}

TEST_CASE("what is open when it is deleted or replaced becomes an orphan until it is let go") {
    SimNamespace names;
    REQUIRE(names.put("k", "one").ok());
    REQUIRE(names.put("l", "two").ok());
    const InodeId replaced = names.id("k");
    const InodeId deleted = names.id("l");
    names.tables.holds = {replaced, deleted};
    REQUIRE(names.put("k", "new").ok());
    REQUIRE(names.remove("l").ok());
    CHECK(names.inode(replaced)->nlink == 0);
    CHECK(names.read(replaced) == "one");
    CHECK(names.read(deleted) == "two");
    CHECK(names.problems() == "");
    names.tables.holds.clear();
    REQUIRE(names.run(ReapOp{replaced}).ok());
    REQUIRE(names.run(ReapOp{deleted}).ok());
    CHECK(names.inode(replaced) == nullptr);
    CHECK(names.live_bytes() == 3);
    CHECK(names.problems() == "");
}

TEST_CASE("a file with very many extents is freed in the background") {
    SimNamespace names;
    PutObjectOp op = names.put_op("k", "");
    for (std::uint64_t i = 0; i < 1200; ++i) {
        op.content.extents.push_back(names.stored(i * 2, "x").extents[0]);
    }
    op.inode.size = 2400;
    REQUIRE(names.run(op).ok());
    const InodeId id = names.id("k");
    CHECK(names.inode(id)->extents_in_table);
    REQUIRE(names.remove("k").ok());
    REQUIRE(names.inode(id) != nullptr);
    CHECK(names.live_bytes() == 1200);
    CHECK(names.problems() == "");
    REQUIRE(names.run(ReapOp{id}).ok());
    CHECK(names.live_bytes() == 200);
    REQUIRE(names.run(ReapOp{id}).ok());
    CHECK(names.inode(id) == nullptr);
    CHECK(names.live_bytes() == 0);
    CHECK(names.problems() == "");
}

TEST_CASE("If-None-Match: * lets a PUT make a key but not replace one") {
    SimNamespace names;
    PutObjectOp op = names.put_op("k", "one");
    op.conditions.if_none_match = {"*"};
    REQUIRE(names.run(op).ok());
    PutObjectOp again = names.put_op("k", "two");
    again.conditions.if_none_match = {"*"};
    check_refused(names, again, Code::conflict, Why::precondition);
    CHECK(names.read("k") == "one");
}

TEST_CASE("only a file is an object for the conditions of a key without a slash") {
    SimNamespace names;
    REQUIRE(names.create(names.bucket, "s", FileType::symlink).ok());
    REQUIRE(names.make_directory(names.bucket, "d").ok());
    for (const char* key : {"s", "d"}) {
        PutObjectOp match = names.put_op(key, "x");
        match.conditions.if_match = {"*"};
        check_refused(names, match, Code::not_found);
        PutObjectOp absent = names.put_op(key, "x");
        absent.conditions.if_none_match = {"*"};
        CHECK(names.run(absent).ok());
    }
}

TEST_CASE("If-Match compares ETags, and asks for an object") {
    SimNamespace names;
    PutObjectOp absent = names.put_op("k", "x");
    absent.conditions.if_match = {"*"};
    check_refused(names, absent, Code::not_found);
    REQUIRE(names.put("k", "one").ok());
    PutObjectOp wrong = names.put_op("k", "two");
    wrong.conditions.if_match = {"00000000000000000000000000000000"};
    check_refused(names, wrong, Code::conflict, Why::precondition);
    PutObjectOp right = names.put_op("k", "two");
    right.conditions.if_match = {"x", tests::etag_of("one").to_string()};
    CHECK(names.run(right).ok());
    PutObjectOp other = names.put_op("k", "three");
    other.conditions.if_none_match = {tests::etag_of("two").to_string()};
    check_refused(names, other, Code::conflict, Why::precondition);
    other.conditions.if_none_match = {tests::etag_of("one").to_string()};
    CHECK(names.run(other).ok());
}

TEST_CASE("dates are compared by the second, and If-Match takes their place") {
    SimNamespace names;
    REQUIRE(names.put("k", "one").ok());
    const UnixNanos modified = names.now;
    PutObjectOp op = names.put_op("k", "two");
    op.conditions.if_unmodified_since = modified - 1'000'000'000;
    check_refused(names, op, Code::conflict, Why::precondition);
    op.conditions.if_match = {"*"};
    CHECK(names.run(op).ok());
    PutObjectOp same = names.put_op("k", "three");
    same.conditions.if_unmodified_since =
        (names.entry("k")->last_modified / 1'000'000'000) * 1'000'000'000;
    CHECK(names.run(same).ok());
}

TEST_CASE("DELETE obeys ETag, size and time") {
    SimNamespace names;
    DeleteObjectOp op = delete_op(names, "k");
    op.conditions.if_match = {"*"};
    check_refused(names, op, Code::not_found);
    op.conditions = {};
    op.conditions.if_size = 3;
    check_refused(names, op, Code::not_found);
    REQUIRE(names.put("k", "one").ok());
    const UnixNanos modified = names.now;
    op.conditions.if_size = 4;
    check_refused(names, op, Code::conflict, Why::precondition);
    op.conditions = {};
    op.conditions.if_last_modified = modified + 1'000'000'000;
    check_refused(names, op, Code::conflict, Why::precondition);
    op.conditions = {};
    op.conditions.if_match = {"nothing"};
    check_refused(names, op, Code::conflict, Why::precondition);
    op.conditions.if_match = {tests::etag_of("one").to_string()};
    op.conditions.if_size = 3;
    op.conditions.if_last_modified = modified + 999;
    REQUIRE(names.run(op).ok());
    CHECK(names.list().empty());
}

TEST_CASE("new headers for a key keep its content and move its Last-Modified") {
    SimNamespace names;
    REQUIRE(names.put("k", "bytes").ok());
    PutHeadersOp op;
    op.bucket = names.bucket;
    op.key = "k";
    op.generation = names.inode("k")->generation;
    op.headers = {{"content-type", "text/plain"}};
    op.time = names.tick();
    REQUIRE(names.run(op).ok());
    CHECK(names.inode("k")->headers == op.headers);
    CHECK(names.read("k") == "bytes");
    CHECK(names.entry("k")->last_modified == names.now);
    CHECK(names.result.inode->headers == op.headers);
    op.generation += 1;
    check_refused(names, op, Code::conflict);
    op.key = "absent";
    check_refused(names, op, Code::not_found);
    op.key = "k";
    op.generation = names.inode("k")->generation;
    op.conditions.if_match = {"other"};
    check_refused(names, op, Code::conflict, Why::precondition);
}

TEST_CASE("a copy shares bytes, and each side keeps them when the other goes") {
    SimNamespace names;
    REQUIRE(names.put("k", "the bytes").ok());
    REQUIRE(names.copy("k", "l").ok());
    CHECK(names.read("l") == "the bytes");
    CHECK(names.live_bytes() == 9);
    CHECK(names.problems() == "");
    REQUIRE(names.remove("k").ok());
    CHECK(names.read("l") == "the bytes");
    CHECK(names.live_bytes() == 9);
    CHECK(names.problems() == "");
    REQUIRE(names.remove("l").ok());
    CHECK(names.live_bytes() == 0);
    CHECK(names.problems() == "");
}

TEST_CASE("a copy onto itself keeps its bytes") {
    SimNamespace names;
    REQUIRE(names.put("k", "the bytes").ok());
    REQUIRE(names.put("m/", "marker").ok());
    for (int round = 0; round < 3; ++round) {
        REQUIRE(names.copy("k", "k").ok());
        REQUIRE(names.copy("m/", "m/").ok());
        CHECK(names.read("k") == "the bytes");
        CHECK(names.read("m/") == "marker");
        CHECK(names.live_bytes() == 15);
        CHECK(names.problems() == "");
    }
}

TEST_CASE("a copy is refused when its source has changed or is shorter than said") {
    SimNamespace names;
    REQUIRE(names.put("k", "the bytes").ok());
    PutObjectOp op = names.put_op("l", "");
    op.inode.size = 20;
    op.clones = {names.all_of(names.id("k"))};
    op.clones[0].length = 10;
    check_refused(names, op, Code::invalid_argument, Why::invalid_range);
    op.clones[0].length = 9;
    op.clones[0].source_generation += 1;
    check_refused(names, op, Code::conflict);
    op.clones[0].source = 12345;
    check_refused(names, op, Code::not_found, Why::stale);
    op.clones[0] = names.all_of(names.id("k"), 12);
    check_refused(names, op, Code::invalid_argument);
}

TEST_CASE("a hundred copies go in any order and leave nothing") {
    SimNamespace names;
    REQUIRE(names.put("k", "the bytes").ok());
    for (int i = 0; i < 100; ++i) REQUIRE(names.copy("k", "copy" + std::to_string(i)).ok());
    CHECK(names.live_bytes() == 9);
    REQUIRE(names.remove("k").ok());
    for (int i = 0; i < 100; ++i) {
        CHECK(names.live_bytes() == 9);
        REQUIRE(names.remove("copy" + std::to_string(i * 37 % 100)).ok());
    }
    CHECK(names.live_bytes() == 0);
    CHECK(names.problems() == "");
}
