#include "objstore/meta/ops_content.h"

#include <doctest/doctest.h>

#include "tests/sim/check_status.h"
#include "tests/sim/sim_namespace.h"

using namespace objstore;
using tests::check_error;
using tests::SimNamespace;

namespace {

Status truncate(SimNamespace& names, InodeId inode, std::uint64_t size) {
    TruncateOp op;
    op.inode = inode;
    op.size = size;
    op.time = names.tick();
    return names.run(op);
}

Status punch(SimNamespace& names, InodeId inode, std::uint64_t offset, std::uint64_t length) {
    return names.run(PunchOp{inode, offset, length, names.tick()});
}

WriteOp inline_write(SimNamespace& names,
                     InodeId inode,
                     std::uint64_t offset,
                     std::string_view bytes) {
    WriteOp op;
    op.inode = inode;
    op.content = SimNamespace::kept(offset, bytes);
    op.time = names.tick();
    return op;
}

std::string zeros(std::size_t count) {
    return std::string(count, '\0');
}

}  // namespace

TEST_CASE("a write goes over what was there, and only that is garbage") {
    SimNamespace names;
    REQUIRE(names.put("k", "0123456789").ok());
    const InodeId id = names.id("k");
    REQUIRE(names.write(id, 3, "abc").ok());
    CHECK(names.read(id) == "012abc6789");
    CHECK(names.live_bytes() == 10);
    REQUIRE(names.write(id, 0, "XX").ok());
    REQUIRE(names.write(id, 8, "YYYY").ok());
    CHECK(names.read(id) == "XX2abc67YYYY");
    CHECK(names.live_bytes() == 12);
    REQUIRE(names.write(id, 0, "all of it new").ok());
    CHECK(names.read(id) == "all of it new");
    CHECK(names.inode(id)->extents.size() == 1);
    CHECK(names.problems() == "");
}

TEST_CASE("content written through a mount has a new generation and ETag, and no checksums") {
    SimNamespace names;
    PutObjectOp put = names.put_op("k", "bytes");
    put.inode.checksums = {{ChecksumKind::crc32c, 0, "1234"}};
    put.inode.headers = {{"content-type", "text/plain"}};
    REQUIRE(names.run(put).ok());
    REQUIRE(set_parts(names.tables, names.id("k"), {{1, 5, ""}}).ok());
    const Inode before = *names.inode("k");
    CHECK(before.part_count == 1);
    REQUIRE(names.write(before.id, 0, "BYTES").ok());
    const Inode after = *names.inode("k");
    CHECK(after.generation == before.generation + 1);
    CHECK(after.etag == derived_etag(after.id, after.generation));
    CHECK(after.checksums.empty());
    CHECK(after.part_count == 0);
    CHECK(names.problems() == "");
    CHECK(after.headers == before.headers);
    CHECK(after.mtime == names.now);
    CHECK(after.ctime == names.now);
    CHECK(after.content_modified == names.now);
    CHECK(after.change > before.change);
    CHECK(*names.result.before == before);
    CHECK(*names.result.inode == after);
}

TEST_CASE("a write of nothing changes nothing but for setuid") {
    SimNamespace names;
    REQUIRE(names.make_file(names.bucket, "f").ok());
    SetAttributesOp chmod;
    chmod.inode = names.id("f");
    chmod.mode = 06755;
    chmod.time = names.tick();
    REQUIRE(names.run(chmod).ok());
    const Inode before = *names.inode("f");
    WriteOp op;
    op.inode = before.id;
    op.time = names.tick();
    REQUIRE(names.run(op).ok());
    CHECK(*names.inode("f") == before);
    op.clear_setid = true;
    REQUIRE(names.run(op).ok());
    CHECK(names.inode("f")->mode == 0755);
    CHECK(names.inode("f")->generation == before.generation);
}

TEST_CASE("a write can grow a file beyond its bytes") {
    SimNamespace names;
    REQUIRE(names.make_file(names.bucket, "f").ok());
    WriteOp op;
    op.inode = names.id("f");
    op.content = names.stored(4, "abc");
    op.size_at_least = 10;
    op.time = names.tick();
    REQUIRE(names.run(op).ok());
    CHECK(names.read("f") == zeros(4) + "abc" + zeros(3));
    op.content = {};
    op.size_at_least = 12;
    REQUIRE(names.run(op).ok());
    CHECK(names.inode("f")->size == 12);
    op.size_at_least = std::uint64_t{1} << 63;
    check_error(names.run(op), Code::invalid_argument, Why::too_large);
    CHECK(names.problems() == "");
}

TEST_CASE("content is for regular files alone") {
    SimNamespace names;
    REQUIRE(names.put("d/x", "x").ok());
    REQUIRE(names.create(names.bucket, "s", FileType::symlink).ok());
    check_error(names.write(names.id("d/"), 0, "x"), Code::conflict, Why::is_directory);
    check_error(truncate(names, names.id("d/"), 0), Code::conflict, Why::is_directory);
    check_error(punch(names, names.id("d/"), 0, 1), Code::conflict, Why::is_directory);
    check_error(names.write(names.id("s"), 0, "x"), Code::invalid_argument);
    check_error(names.write(9999, 0, "x"), Code::not_found, Why::stale);
    CHECK(names.problems() == "");
}

TEST_CASE("truncate drops what is beyond, and grows by a hole") {
    SimNamespace names;
    REQUIRE(names.put("k", "0123456789").ok());
    const InodeId id = names.id("k");
    REQUIRE(truncate(names, id, 4).ok());
    CHECK(names.read(id) == "0123");
    CHECK(names.live_bytes() == 4);
    REQUIRE(truncate(names, id, 6).ok());
    CHECK(names.read(id) == "0123" + zeros(2));  // not what once was there
    CHECK(names.inode(id)->etag == derived_etag(id, names.inode(id)->generation));
    const Inode before = *names.inode(id);
    REQUIRE(truncate(names, id, 6).ok());
    CHECK(names.inode(id)->mtime == names.now);
    CHECK(names.inode(id)->etag == before.etag);
    CHECK(names.inode(id)->generation == before.generation);
    REQUIRE(truncate(names, id, 0).ok());
    CHECK(names.live_bytes() == 0);
    check_error(
        truncate(names, id, std::uint64_t{1} << 63), Code::invalid_argument, Why::too_large);
    REQUIRE(truncate(names, id, INT64_MAX).ok());
    CHECK(names.problems() == "");
}

TEST_CASE("a punch makes a hole and leaves the size") {
    SimNamespace names;
    REQUIRE(names.put("k", "0123456789").ok());
    const InodeId id = names.id("k");
    REQUIRE(punch(names, id, 2, 3).ok());
    CHECK(names.read(id) == "01" + zeros(3) + "56789");
    CHECK(names.live_bytes() == 7);
    REQUIRE(punch(names, id, 8, 100).ok());
    CHECK(names.read(id) == "01" + zeros(3) + "567" + zeros(2));
    const std::uint64_t generation = names.inode(id)->generation;
    REQUIRE(punch(names, id, 10, 5).ok());
    REQUIRE(punch(names, id, 0, 0).ok());
    CHECK(names.inode(id)->generation == generation);
    check_error(punch(names, id, 1, UINT64_MAX), Code::invalid_argument, Why::too_large);
    CHECK(names.problems() == "");
}

TEST_CASE("extents move to the table when there are many, and back with an empty file") {
    SimNamespace names;
    REQUIRE(names.make_file(names.bucket, "f").ok());
    const InodeId id = names.id("f");
    std::string expected = zeros(80);
    for (std::uint64_t i = 0; i < 20; ++i) {
        const std::uint64_t offset = i * 37 % 20 * 4;
        REQUIRE(names.write(id, offset, "ab").ok());
        expected.replace(offset, 2, "ab");
        CHECK(names.inode(id)->extents_in_table == (i >= kEmbeddedExtentsMax));
        CHECK(names.problems() == "");
    }
    CHECK(names.read(id) == expected.substr(0, 78));
    REQUIRE(names.write(id, 10, std::string(30, 'x')).ok());
    expected.replace(10, 30, std::string(30, 'x'));
    CHECK(names.read(id) == expected.substr(0, 78));
    CHECK(names.live_bytes() == 30 + 2 * 13);
    CHECK(names.problems() == "");
    REQUIRE(truncate(names, id, 0).ok());
    CHECK(!names.inode(id)->extents_in_table);
    REQUIRE(names.write(id, 0, "new").ok());
    CHECK(names.inode(id)->extents.size() == 1);
    CHECK(names.problems() == "");
}

TEST_CASE("several pieces of one write may come in any order but not overlap") {
    SimNamespace names;
    REQUIRE(names.put("k", "0123456789").ok());
    WriteOp op;
    op.inode = names.id("k");
    op.content = names.stored(6, "cd");
    op.content.extents.push_back(names.stored(2, "ab").extents[0]);
    op.content.inlines = SimNamespace::kept(4, "XY").inlines;
    op.time = names.tick();
    REQUIRE(names.run(op).ok());
    CHECK(names.read("k") == "01abXYcd89");
    CHECK(names.problems() == "");
    op.content.extents = {names.stored(0, "1234").extents[0], names.stored(3, "5").extents[0]};
    check_error(names.run(op), Code::invalid_argument);
    CHECK(names.read("k") == "01abXYcd89");
    CHECK(names.problems() == "");
}

TEST_CASE("inline bytes are kept until nobody names any of them") {
    SimNamespace names;
    REQUIRE(names.make_file(names.bucket, "f").ok());
    const InodeId id = names.id("f");
    REQUIRE(names.run(inline_write(names, id, 0, "0123456789")).ok());
    CHECK(names.read(id) == "0123456789");
    CHECK(names.live_bytes() == 0);
    REQUIRE(names.write(id, 4, "ab").ok());  // cuts the row in two
    CHECK(names.read(id) == "0123ab6789");
    CHECK(names.problems() == "");
    REQUIRE(names.write(id, 0, "ABCD").ok());
    CHECK(names.tables.rows().inlines.size() == 1);
    REQUIRE(names.write(id, 6, "EFGH").ok());
    CHECK(names.tables.rows().inlines.empty());
    CHECK(names.read(id) == "ABCDabEFGH");
    CHECK(names.problems() == "");
}

TEST_CASE("shared inline bytes go with their last holder") {
    SimNamespace names;
    PutObjectOp put = names.put_op("k", "");
    put.content = SimNamespace::kept(0, "0123456789");
    put.inode.size = 10;
    REQUIRE(names.run(put).ok());
    REQUIRE(names.write(names.id("k"), 5, "x").ok());  // cut in two that are not shared
    CloneRange head = names.all_of(names.id("k"));
    head.length = 3;
    REQUIRE(names.make_file(names.bucket, "f").ok());
    REQUIRE(names.clone(head, names.id("f")).ok());
    CHECK(names.read("f") == "012");
    CHECK(names.problems() == "");
    REQUIRE(truncate(names, names.id("k"), 5).ok());
    CHECK(names.problems() == "");
    REQUIRE(names.remove("k").ok());
    CHECK(names.read("f") == "012");
    CHECK(names.tables.rows().inlines.size() == 1);
    CHECK(names.problems() == "");
    REQUIRE(names.remove("f").ok());
    CHECK(names.tables.rows().inlines.empty());
    CHECK(names.problems() == "");
}

TEST_CASE("a part of a file can be shared into the middle of another") {
    SimNamespace names;
    REQUIRE(names.put("k", "0123456789").ok());
    REQUIRE(names.put("l", "abcdefghij").ok());
    CloneRange range = names.all_of(names.id("k"), 4);
    range.source_offset = 2;
    range.length = 3;
    REQUIRE(names.clone(range, names.id("l")).ok());
    CHECK(names.read("l") == "abcd234hij");
    CHECK(names.live_bytes() == 17);
    CHECK(names.problems() == "");
    // What the two share lives on in the other.
    REQUIRE(names.write(names.id("k"), 0, "XXXX").ok());
    CHECK(names.read("k") == "XXXX456789");
    CHECK(names.read("l") == "abcd234hij");
    CHECK(names.live_bytes() == 7 + 10 + 2);
    CHECK(names.problems() == "");
    REQUIRE(names.remove("k").ok());
    CHECK(names.live_bytes() == 10);
    CHECK(names.problems() == "");
}

TEST_CASE("holes are shared as holes") {
    SimNamespace names;
    REQUIRE(names.put("k", "0123456789").ok());
    REQUIRE(punch(names, names.id("k"), 2, 6).ok());
    REQUIRE(names.put("l", "abcdefghijklmnop").ok());
    REQUIRE(names.clone(names.all_of(names.id("k"), 3), names.id("l")).ok());
    CHECK(names.read("l") == "abc01" + zeros(6) + "89nop");
    CHECK(names.problems() == "");
}

TEST_CASE("a file can share ranges with itself, also ones that overlap") {
    SimNamespace names;
    REQUIRE(names.put("k", "0123456789").ok());
    const InodeId id = names.id("k");
    CloneRange range = names.all_of(id, 5);
    range.length = 5;
    REQUIRE(names.clone(range, id).ok());
    CHECK(names.read(id) == "0123401234");
    CHECK(names.live_bytes() == 5);
    CHECK(names.problems() == "");
    range = names.all_of(id, 2);
    range.length = 8;
    REQUIRE(names.clone(range, id).ok());
    CHECK(names.read(id) == "0101234012");
    CHECK(names.problems() == "");
    REQUIRE(names.write(id, 0, "01").ok());
    CHECK(names.problems() == "");
    REQUIRE(truncate(names, id, 0).ok());
    CHECK(names.live_bytes() == 0);
    CHECK(names.tables.rows().shared.empty());
    CHECK(names.problems() == "");
}

TEST_CASE("several ranges of one operation are of the state before it") {
    SimNamespace names;
    REQUIRE(names.put("k", "aabbccdd").ok());
    const InodeId id = names.id("k");
    const std::uint64_t generation = names.inode(id)->generation;
    WriteOp op;
    op.inode = id;
    op.clones = {{id, generation, 0, 2, 2}, {id, generation, 2, 2, 4}, {id, generation, 4, 2, 6}};
    op.time = names.tick();
    REQUIRE(names.run(op).ok());
    CHECK(names.read(id) == "aaaabbcc");
    CHECK(names.live_bytes() == 6);
    CHECK(names.problems() == "");
}

TEST_CASE("a clone is refused when the source has changed, is too short, or has no content") {
    SimNamespace names;
    REQUIRE(names.put("k", "0123456789").ok());
    REQUIRE(names.put("l", "").ok());
    REQUIRE(names.create(names.bucket, "s", FileType::symlink).ok());
    const InodeId target = names.id("l");
    const CloneRange good = names.all_of(names.id("k"));
    CloneRange range = good;
    range.source_generation = 77;
    check_error(names.clone(range, target), Code::conflict);
    range = good;
    range.source_offset = 1;
    check_error(names.clone(range, target), Code::invalid_argument, Why::invalid_range);
    range.source_offset = UINT64_MAX;
    check_error(names.clone(range, target), Code::invalid_argument, Why::invalid_range);
    range = good;
    range.offset = INT64_MAX;
    check_error(names.clone(range, target), Code::invalid_argument, Why::too_large);
    range = good;
    range.source = 9999;
    check_error(names.clone(range, target), Code::not_found, Why::stale);
    range = names.all_of(names.id("s"));
    check_error(names.clone(range, target), Code::invalid_argument);
    CHECK(names.tables.rows().shared.empty());
    CHECK(names.clone(good, target).ok());
    CHECK(names.problems() == "");
}

TEST_CASE("an object of many extents can be shared and goes in steps") {
    SimNamespace names;
    REQUIRE(names.make_file(names.bucket, "f").ok());
    std::string expected;
    for (std::uint64_t i = 0; i < 40; ++i) {
        REQUIRE(names.write(names.id("f"), i * 2, std::to_string(10 + i)).ok());
        expected += std::to_string(10 + i);
    }
    REQUIRE(names.copy("f", "g").ok());
    CHECK(names.inode("g")->extents_in_table);
    CHECK(names.read("g") == expected);
    CHECK(names.live_bytes() == 80);
    REQUIRE(names.write(names.id("f"), 1, std::string(78, 'x')).ok());
    CHECK(names.read("g") == expected);
    CHECK(names.live_bytes() == 158);
    CHECK(names.problems() == "");
    REQUIRE(names.remove("g").ok());
    CHECK(names.live_bytes() == 80);
    CHECK(names.problems() == "");
}
