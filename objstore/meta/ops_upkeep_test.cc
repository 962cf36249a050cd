#include <doctest/doctest.h>

#include "objstore/erasure/checksum.h"
#include "tests/sim/check_status.h"
#include "tests/sim/sim_namespace.h"

using namespace objstore;
using tests::check_error;
using tests::SimNamespace;

namespace {

std::uint64_t only_row(SimNamespace& names) {
    const auto rows = names.tables.rows();
    REQUIRE(rows.inlines.size() == 1);
    return rows.inlines.begin()->first;
}

Status put_inline(SimNamespace& names, std::string_view key, std::string_view bytes) {
    PutObjectOp op = names.put_op(key, "");
    op.content = SimNamespace::kept(0, bytes);
    op.inode.size = bytes.size();
    return names.run(op);
}

}  // namespace

TEST_CASE("a reap leaves what has a name, is held, or is gone") {
    SimNamespace names;
    REQUIRE(names.put("k", "x").ok());
    const InodeId id = names.id("k");
    REQUIRE(names.run(ReapOp{id}).ok());
    CHECK(names.read("k") == "x");
    names.tables.holds = {id};
    REQUIRE(names.remove("k").ok());
    REQUIRE(names.run(ReapOp{id}).ok());
    CHECK(names.inode(id) != nullptr);
    names.tables.holds.clear();
    REQUIRE(names.run(ReapOp{id}).ok());
    CHECK(names.inode(id) == nullptr);
    REQUIRE(names.run(ReapOp{id}).ok());
    CHECK(names.problems() == "");
}

TEST_CASE("a large orphan is reaped in steps") {
    SimNamespace names;
    PutObjectOp op = names.put_op("k", "");
    for (std::uint64_t i = 0; i < 2500; ++i) {
        op.content.extents.push_back(names.stored(i, "x").extents[0]);
    }
    op.inode.size = 2500;
    REQUIRE(names.run(op).ok());
    const InodeId id = names.id("k");
    REQUIRE(names.remove("k").ok());
    std::uint64_t live = names.live_bytes();
    CHECK(live == 2500);
    int steps = 0;
    for (; names.inode(id) != nullptr; ++steps) {
        REQUIRE(names.run(ReapOp{id}).ok());
        CHECK(names.live_bytes() < live);
        live = names.live_bytes();
        CHECK(names.problems() == "");
    }
    CHECK(steps == 3);
    CHECK(live == 0);
}

TEST_CASE("packing replaces inline bytes by extents and changes nothing else") {
    SimNamespace names;
    REQUIRE(put_inline(names, "k", "0123456789").ok());
    const Inode before = *names.inode("k");
    REQUIRE(names.run(PackInlineOp{only_row(names), names.packed("0123456789", 4)}).ok());
    CHECK(names.read("k") == "0123456789");
    CHECK(names.live_bytes() == 10);
    CHECK(names.tables.rows().inlines.empty());
    Inode after = *names.inode("k");
    CHECK(after.extents.size() == 2);
    after.extents = before.extents;
    CHECK(after == before);  // not even the change counter: clients keep their caches
    CHECK(names.problems() == "");
}

TEST_CASE("packing keeps the checksum of an extent that is named whole") {
    SimNamespace names;
    REQUIRE(put_inline(names, "k", "0123456789").ok());
    auto extents = names.packed("0123456789");
    extents[0].has_crc = true;
    extents[0].crc = names.inode("k")->extents[0].crc;
    REQUIRE(names.run(PackInlineOp{only_row(names), extents}).ok());
    CHECK(names.inode("k")->extents[0].has_crc);
    CHECK(names.inode("k")->extents[0].crc == extents[0].crc);
    CHECK(extents[0].crc == crc32c(as_bytes("0123456789")));
}

TEST_CASE("bytes that are not those that came in are not packed") {
    SimNamespace names;
    REQUIRE(put_inline(names, "k", "0123456789").ok());
    auto extents = names.packed("0123456789");
    extents[0].has_crc = true;
    extents[0].crc = crc32c(as_bytes("012345678X"));
    check_error(names.run(PackInlineOp{only_row(names), extents}), Code::corruption);
    InlineRow row = names.tables.rows().inlines.begin()->second;
    row.bytes.back() = 'X';
    names.tables.put_inline(row);
    check_error(names.run(PackInlineOp{row.id, names.packed("012345678X")}), Code::corruption);
    CHECK(names.inode("k")->extents[0].kind == ExtentKind::inline_data);
    REQUIRE(names.remove("k").ok());  // what is damaged can still be deleted
    CHECK(names.tables.rows().inlines.empty());
    CHECK(names.problems() == "");
}

TEST_CASE("packing finds every holder, and bytes that nobody names stay garbage") {
    SimNamespace names;
    REQUIRE(put_inline(names, "k", "0123456789").ok());
    REQUIRE(names.write(names.id("k"), 3, "ab").ok());
    CloneRange tail = names.all_of(names.id("k"), 2);
    tail.source_offset = 6;
    tail.length = 3;
    REQUIRE(names.put("l", "ABCDEFGH").ok());
    REQUIRE(names.clone(tail, names.id("l")).ok());
    CHECK(names.read("l") == "AB678FGH");
    const std::uint64_t live = names.live_bytes();
    REQUIRE(names.run(PackInlineOp{only_row(names), names.packed("0123456789", 7)}).ok());
    CHECK(names.read("k") == "012ab56789");
    CHECK(names.read("l") == "AB678FGH");
    CHECK(names.live_bytes() == live + 8);
    CHECK(names.problems() == "");
    REQUIRE(names.remove("k").ok());
    CHECK(names.read("l") == "AB678FGH");
    CHECK(names.problems() == "");
}

TEST_CASE("packing finds parts of uploads, own and shared") {
    SimNamespace names;
    CreateUploadOp create;
    create.upload.id = 5;
    create.upload.bucket = names.bucket;
    create.upload.key = "up";
    REQUIRE(names.run(create).ok());
    PutPartOp part;
    part.part.upload = 5;
    part.part.number = 2;
    part.part.size = 4;
    part.content = SimNamespace::kept(0, "part");
    REQUIRE(names.run(part).ok());
    REQUIRE(names.run(PackInlineOp{only_row(names), names.packed("part", 1)}).ok());
    CHECK(names.live_bytes() == 4);
    CHECK(names.problems() == "");
    REQUIRE(put_inline(names, "k", "0123456789").ok());
    part.part.number = 3;
    part.part.size = 10;
    part.content = {};
    part.clones = {names.all_of(names.id("k"))};
    REQUIRE(names.run(part).ok());
    REQUIRE(names.run(PackInlineOp{only_row(names), names.packed("0123456789", 5)}).ok());
    CHECK(names.live_bytes() == 14);
    CHECK(names.problems() == "");
    CompleteUploadOp complete;
    complete.bucket = names.bucket;
    complete.key = "up";
    complete.upload = 5;
    complete.parts = {{2, ETag().to_string(), ""}, {3, ETag().to_string(), ""}};
    complete.inode.etag.parts = 2;
    complete.part_bytes_min = 0;
    complete.time = names.tick();
    REQUIRE(names.run(complete).ok());
    CHECK(names.read("up") == "part0123456789");
    CHECK(names.problems() == "");
}

TEST_CASE("packing finds its extent among many") {
    SimNamespace names;
    REQUIRE(names.make_file(names.bucket, "f").ok());
    const InodeId id = names.id("f");
    for (std::uint64_t i = 0; i < 30; ++i) REQUIRE(names.write(id, i * 4, "ab").ok());
    WriteOp op;
    op.inode = id;
    op.content = SimNamespace::kept(50, "inline bytes");
    op.time = names.tick();
    REQUIRE(names.run(op).ok());
    const std::string content = names.read(id);
    CHECK(names.inode(id)->extents_in_table);
    CHECK(names.problems() == "");
    REQUIRE(names.run(PackInlineOp{only_row(names), names.packed("inline bytes")}).ok());
    CHECK(names.read(id) == content);
    CHECK(names.problems() == "");
}

TEST_CASE("packing a row that is gone does nothing, and a wrong one is refused") {
    SimNamespace names;
    REQUIRE(put_inline(names, "k", "0123456789").ok());
    const std::uint64_t row = only_row(names);
    const auto refused = [&](std::vector<Extent> extents) {
        check_error(names.run(PackInlineOp{row, std::move(extents)}), Code::invalid_argument);
        CHECK(names.read("k") == "0123456789");
        CHECK(names.problems() == "");
    };
    refused({});
    refused(names.packed("012345678"));
    refused(names.packed("0123456789x"));
    auto gap = names.packed("0123456789", 5);
    gap[1].logical_offset = 6;
    refused(gap);
    auto nowhere = names.packed("0123456789");
    nowhere[0].volume = 99;
    refused(nowhere);
    REQUIRE(names.remove("k").ok());
    REQUIRE(names.run(PackInlineOp{row, names.packed("0123456789")}).ok());
    CHECK(names.live_bytes() == 0);
    CHECK(names.problems() == "");
}

TEST_CASE("volumes are added once and keep their counts when they are sealed") {
    SimNamespace names;
    REQUIRE(names.put("k", "0123456789").ok());
    VolumeRow row;
    row.id = SimNamespace::kVolume;
    row.geometry = {.data = 4, .parity = 2};
    check_error(names.run(AddVolumeOp{row}), Code::already_exists);
    row.id = 0;
    check_error(names.run(AddVolumeOp{row}), Code::invalid_argument);
    row.id = 8;
    row.geometry = {.data = 0, .parity = 2};
    check_error(names.run(AddVolumeOp{row}), Code::invalid_argument);
    row.geometry = {.data = 2, .parity = 1};
    row.live_bytes = 55;
    REQUIRE(names.run(AddVolumeOp{row}).ok());
    CHECK((*names.tables.volume(8))->live_bytes == 0);
    REQUIRE(names.run(SealVolumeOp{SimNamespace::kVolume, 8192, 10}).ok());
    const VolumeRow sealed = **names.tables.volume(SimNamespace::kVolume);
    CHECK(sealed.state == VolumeState::sealed);
    CHECK(sealed.length == 8192);
    CHECK(sealed.payload_bytes == 10);
    CHECK(sealed.live_bytes == 10);
    CHECK(sealed.named_end == 8192);
    check_error(names.run(SealVolumeOp{99, 1, 1}), Code::not_found);
}

TEST_CASE("settings are kept by name") {
    SimNamespace names;
    REQUIRE(names.run(SetSettingOp{"a", "1"}).ok());
    REQUIRE(names.run(SetSettingOp{"a", "2"}).ok());
    CHECK(names.tables.rows().settings.at("a") == "2");
    check_error(names.run(SetSettingOp{"", "2"}), Code::invalid_argument);
}
