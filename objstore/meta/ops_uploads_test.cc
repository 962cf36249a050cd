#include "objstore/meta/ops_uploads.h"

#include <doctest/doctest.h>

#include "objstore/meta/rows.h"
#include "tests/sim/check_status.h"
#include "tests/sim/sim_namespace.h"

using namespace objstore;
using tests::check_error;
using tests::SimNamespace;

namespace {

constexpr std::uint64_t kUpload = 5;

struct Upload {
    SimNamespace names;
    std::vector<std::string> bytes;  // of parts as last put, by number - 1

    explicit Upload(std::string_view key = "k") {
        CreateUploadOp op;
        op.upload.id = kUpload;
        op.upload.bucket = names.bucket;
        op.upload.key = key;
        op.upload.headers = {{"content-type", "text/plain"}};
        REQUIRE(names.run(op).ok());
    }
    InodeId inode() { return (*names.tables.upload(kUpload))->inode; }
    PutPartOp part_op(std::uint32_t number, std::string_view content) {
        PutPartOp op;
        op.part.upload = kUpload;
        op.part.number = number;
        op.part.size = content.size();
        op.part.etag = tests::etag_of(content);
        op.part.last_modified = names.tick();
        op.content = names.stored(0, content);
        return op;
    }
    Status put(std::uint32_t number, std::string_view content) {
        return names.run(part_op(number, content));
    }
    Status put_inline(std::uint32_t number, std::string_view content) {
        PutPartOp op = part_op(number, content);
        op.content = SimNamespace::kept(0, content);
        return names.run(op);
    }
    CompleteUploadOp complete_op(std::vector<std::pair<std::uint32_t, std::string>> parts) {
        CompleteUploadOp op;
        op.bucket = names.bucket;
        op.key = "k";
        op.upload = kUpload;
        for (const auto& [number, content] : parts) {
            op.parts.push_back({number, tests::etag_of(content).to_string(), ""});
        }
        op.inode.etag.parts = static_cast<std::uint32_t>(parts.size());
        op.part_bytes_min = 1;
        op.time = names.tick();
        return op;
    }
};

}  // namespace

TEST_CASE("completing an upload joins its parts and moves no byte") {
    Upload upload;
    SimNamespace& names = upload.names;
    const InodeId inode = upload.inode();
    REQUIRE(upload.put(1, "one").ok());
    REQUIRE(upload.put(7, "seven").ok());
    REQUIRE(upload.put(3, "three").ok());
    CHECK(names.live_bytes() == 13);
    CHECK(names.list().empty());
    CHECK(names.problems() == "");
    CompleteUploadOp op = upload.complete_op({{1, "one"}, {3, "three"}, {7, "seven"}});
    op.expected_size = 13;
    REQUIRE(names.run(op).ok());
    CHECK(names.read("k") == "onethreeseven");
    CHECK(names.id("k") == inode);
    CHECK(names.inode("k")->headers.size() == 1);
    CHECK(names.inode("k")->part_count == 3);
    const std::vector<ObjectPart> parts{{1, 3, ""}, {3, 5, ""}, {7, 5, ""}};
    CHECK(*names.tables.object_parts(inode) == parts);
    CHECK(names.inode("k")->etag.parts == 3);
    CHECK(names.inode("k")->mtime == names.now);
    CHECK(names.live_bytes() == 13);
    CHECK(names.result.inode->size == 13);
    CHECK(names.tables.rows().uploads.empty());
    CHECK(names.tables.rows().parts.empty());
    CHECK(names.problems() == "");
    check_error(names.run(op), Code::not_found, Why::no_upload);
}

TEST_CASE("parts that are not listed are garbage, and so is what the object replaces") {
    Upload upload;
    SimNamespace& names = upload.names;
    REQUIRE(names.put("k", "old content").ok());
    REQUIRE(upload.put(1, "first").ok());
    REQUIRE(upload.put(2, "second").ok());
    REQUIRE(upload.put_inline(3, "third").ok());
    REQUIRE(names.run(upload.complete_op({{2, "second"}})).ok());
    CHECK(names.read("k") == "second");
    CHECK(names.live_bytes() == 6);
    CHECK(names.tables.rows().inlines.empty());
    CHECK(names.problems() == "");
}

TEST_CASE("a part that comes again replaces the first") {
    Upload upload;
    REQUIRE(upload.put(1, "first").ok());
    REQUIRE(upload.put(1, "again").ok());
    REQUIRE(upload.put_inline(2, "inline").ok());
    REQUIRE(upload.put_inline(2, "INLINE").ok());
    CHECK(upload.names.live_bytes() == 5);
    CHECK(upload.names.tables.rows().inlines.size() == 1);
    CHECK(upload.names.problems() == "");
    check_error(upload.names.run(upload.complete_op({{1, "first"}})),
                Code::invalid_argument,
                Why::invalid_part);
    REQUIRE(upload.names.run(upload.complete_op({{1, "again"}, {2, "INLINE"}})).ok());
    CHECK(upload.names.read("k") == "againINLINE");
    CHECK(upload.names.problems() == "");
}

TEST_CASE("the parts of a marker are of its directory, or say that they are held by it") {
    for (const bool was_there : {false, true}) {
        CAPTURE(was_there);
        Upload upload("m/");
        SimNamespace& names = upload.names;
        const InodeId inode = upload.inode();
        if (was_there) REQUIRE(names.put("m/below", "").ok());
        REQUIRE(upload.put(1, "first").ok());
        REQUIRE(upload.put_inline(2, "second").ok());
        CompleteUploadOp op = upload.complete_op({{1, "first"}, {2, "second"}});
        op.key = "m/";
        REQUIRE(names.run(op).ok());
        CHECK(names.read("m/") == "firstsecond");
        CHECK((names.id("m/") == inode) == !was_there);
        CHECK(names.tables.rows().shared.size() == (was_there ? 1 : 0));
        CHECK(names.tables.rows().inlines.begin()->second.generation ==
              names.inode("m/")->generation);
        CHECK(names.problems() == "");
        REQUIRE(names.put("m/", "").ok());
        CHECK(names.live_bytes() == 0);
        CHECK(names.tables.rows().shared.empty());
        CHECK(names.problems() == "");
    }
}

TEST_CASE("parts that were shared into prepared content become the object, and go") {
    Upload upload;
    SimNamespace& names = upload.names;
    const std::string first = "first";
    REQUIRE(upload.put(1, first).ok());
    REQUIRE(upload.put_inline(2, "second").ok());
    REQUIRE(upload.put(3, "unlisted").ok());
    REQUIRE(names.run(PrepareContentOp{names.bucket, 0, names.tick()}).ok());
    const InodeId prepared = names.result.inode->id;
    names.tables.holds = {prepared};
    WriteOp share{.inode = prepared, .time = names.tick()};
    share.clones = {{.source = kUpload, .length = 5, .part = 1, .part_etag = tests::etag_of(first)},
                    {.source = kUpload,
                     .length = 6,
                     .offset = 5,
                     .part = 2,
                     .part_etag = tests::etag_of("second")}};
    REQUIRE(names.run(share).ok());
    CHECK(names.problems() == "");
    share.clones[0].part_etag = {};
    check_error(names.run(share), Code::conflict);
    CompleteUploadOp op = upload.complete_op({{1, first}, {2, "second"}});
    op.prepared = prepared;
    const InodeId upload_inode = upload.inode();
    REQUIRE(names.run(op).ok());
    CHECK(names.id("k") == prepared);
    CHECK(names.read("k") == "firstsecond");
    CHECK(names.inode("k")->nlink == 1);
    CHECK(names.inode("k")->part_count == 2);
    CHECK(names.problems() == "");
    names.tables.holds.clear();
    REQUIRE(names.run(ReapOp{upload_inode}).ok());
    REQUIRE(names.run(ReapOp{prepared}).ok());
    CHECK(names.read("k") == "firstsecond");
    CHECK(names.live_bytes() == 5);
    CHECK(names.tables.rows().parts.empty());
    CHECK(names.tables.rows().orphans.empty());
    CHECK(names.problems() == "");
}

TEST_CASE("prepared content does not become the body of a marker") {
    SimNamespace names;
    REQUIRE(names.run(PrepareContentOp{names.bucket, 0, names.tick()}).ok());
    const InodeId prepared = names.result.inode->id;
    names.tables.holds = {prepared};
    PutObjectOp op{.bucket = names.bucket, .key = "m/", .time = names.tick()};
    op.prepared = prepared;
    check_error(names.run(op), Code::invalid_argument);
    REQUIRE(names.inode(prepared) != nullptr);
    CHECK(names.inode(prepared)->is_regular());
}

TEST_CASE("prepared content that gets no name is reaped, and its sources stay") {
    Upload upload;
    SimNamespace& names = upload.names;
    REQUIRE(upload.put(1, "first").ok());
    REQUIRE(names.run(PrepareContentOp{names.bucket, 0, names.tick()}).ok());
    const InodeId prepared = names.result.inode->id;
    WriteOp share{.inode = prepared, .time = names.tick()};
    share.clones = {
        {.source = kUpload, .length = 5, .part = 1, .part_etag = tests::etag_of("first")}};
    REQUIRE(names.run(share).ok());
    CompleteUploadOp op = upload.complete_op({{1, "first"}});
    op.prepared = names.bucket;
    check_error(names.run(op), Code::conflict);
    REQUIRE(names.run(ReapOp{prepared}).ok());
    CHECK(names.inode(prepared) == nullptr);
    CHECK(names.live_bytes() == 5);
    CHECK(names.problems() == "");
    REQUIRE(names.run(upload.complete_op({{1, "first"}})).ok());
    CHECK(names.read("k") == "first");
    CHECK(names.problems() == "");
}

TEST_CASE("an abort makes all parts garbage") {
    Upload upload;
    SimNamespace& names = upload.names;
    REQUIRE(upload.put(1, "first").ok());
    REQUIRE(upload.put_inline(2, "second").ok());
    check_error(
        names.run(AbortUploadOp{names.bucket, "other", kUpload}), Code::not_found, Why::no_upload);
    REQUIRE(names.run(AbortUploadOp{names.bucket, "k", kUpload}).ok());
    CHECK(names.live_bytes() == 0);
    CHECK(names.tables.rows().inlines.empty());
    CHECK(names.problems() == "");
    check_error(
        names.run(AbortUploadOp{names.bucket, "k", kUpload}), Code::not_found, Why::no_upload);
    check_error(upload.put(1, "late"), Code::not_found, Why::no_upload);
}

TEST_CASE("an abort of many parts frees them in steps, and nobody finds them meanwhile") {
    Upload upload;
    SimNamespace& names = upload.names;
    const InodeId inode = upload.inode();
    for (std::uint32_t i = 1; i <= 250; ++i) REQUIRE(upload.put(i, "part").ok());
    const AbortUploadOp abort{.bucket = names.bucket, .key = "k", .upload = kUpload};
    REQUIRE(names.run(abort).ok());
    CHECK(names.live_bytes() == 600);
    CHECK(names.problems() == "");
    check_error(names.run(abort), Code::not_found, Why::no_upload);
    check_error(upload.put(1, "again"), Code::not_found, Why::no_upload);
    CHECK(!*names.tables.has_uploads(names.bucket));
    REQUIRE(names.run(ReapOp{inode}).ok());
    CHECK(names.live_bytes() == 200);
    CHECK(names.tables.rows().orphans.size() == 1);
    CHECK(names.problems() == "");
    REQUIRE(names.run(ReapOp{inode}).ok());
    CHECK(names.live_bytes() == 0);
    CHECK(names.tables.rows().uploads.empty());
    CHECK(names.tables.rows().parts.empty());
    CHECK(names.tables.rows().orphans.empty());
    CHECK(names.problems() == "");
}

TEST_CASE("the list of parts must be right") {
    Upload upload;
    SimNamespace& names = upload.names;
    REQUIRE(upload.put(1, "one").ok());
    REQUIRE(upload.put(2, "two").ok());
    const auto refused = [&](const CompleteUploadOp& op, Why why) {
        check_error(names.run(op), Code::invalid_argument, why);
        CHECK(names.tables.rows().parts.size() == 2);
        CHECK(names.problems() == "");
    };
    refused(upload.complete_op({}), Why::none);
    refused(upload.complete_op({{2, "two"}, {1, "one"}}), Why::invalid_part_order);
    refused(upload.complete_op({{1, "one"}, {1, "one"}}), Why::invalid_part_order);
    refused(upload.complete_op({{1, "one"}, {3, "two"}}), Why::invalid_part);
    refused(upload.complete_op({{1, "two"}}), Why::invalid_part);
    CompleteUploadOp small = upload.complete_op({{1, "one"}, {2, "two"}});
    small.part_bytes_min = 4;
    refused(small, Why::part_too_small);
    CompleteUploadOp size = upload.complete_op({{1, "one"}, {2, "two"}});
    size.expected_size = 7;
    refused(size, Why::none);
    CompleteUploadOp count = upload.complete_op({{1, "one"}, {2, "two"}});
    count.inode.etag.parts = 3;
    refused(count, Why::none);
    CompleteUploadOp checksum = upload.complete_op({{1, "one"}, {2, "two"}});
    checksum.parts[0].checksum = "abcd";
    refused(checksum, Why::invalid_part);
    CompleteUploadOp another = upload.complete_op({{1, "one"}, {2, "two"}});
    another.parts[1].size = 4;
    refused(another, Why::invalid_part);
    CompleteUploadOp condition = upload.complete_op({{1, "one"}, {2, "two"}});
    REQUIRE(names.put("k", "there").ok());
    condition.conditions.if_none_match = {"*"};
    check_error(names.run(condition), Code::conflict, Why::precondition);
    condition.conditions = {};
    condition.key = "other";
    check_error(names.run(condition), Code::not_found, Why::no_upload);
}

TEST_CASE("the last part may be small, and a checksum that matches is accepted") {
    Upload upload;
    PutPartOp first = upload.part_op(1, "first");
    first.part.checksum = {ChecksumKind::crc32, 0, "abcd"};
    REQUIRE(upload.names.run(first).ok());
    REQUIRE(upload.put(2, "2").ok());
    CompleteUploadOp op = upload.complete_op({{1, "first"}, {2, "2"}});
    op.part_bytes_min = 5;
    op.parts[0].checksum = "abcd";
    REQUIRE(upload.names.run(op).ok());
}

TEST_CASE("a part has a number, a size and content within it") {
    Upload upload;
    check_error(upload.put(0, "x"), Code::invalid_argument);
    check_error(upload.put(10'001, "x"), Code::invalid_argument);
    REQUIRE(upload.put(10'000, "x").ok());
    PutPartOp op = upload.part_op(1, "1234");
    op.part.size = 3;
    check_error(upload.names.run(op), Code::invalid_argument);
    op.part.size = kPartBytesMax;
    check_error(upload.names.run(op), Code::invalid_argument, Why::too_large);
    op.part.size = 4;
    op.content.extents.push_back(upload.names.stored(3, "x").extents[0]);
    check_error(upload.names.run(op), Code::invalid_argument);
    CHECK(upload.names.problems() == "");
}

TEST_CASE("an upload needs a bucket, a key and an id of its own") {
    Upload upload;
    CreateUploadOp op;
    op.upload.id = kUpload;
    op.upload.bucket = upload.names.bucket;
    op.upload.key = "x";
    check_error(upload.names.run(op), Code::already_exists);
    op.upload.id = 6;
    op.upload.key = "";
    check_error(upload.names.run(op), Code::invalid_argument);
    op.upload.key = "x";
    op.upload.bucket = 9999;
    check_error(upload.names.run(op), Code::not_found, Why::no_bucket);
}

TEST_CASE("parts copied from one object share its bytes, also with each other") {
    Upload upload;
    SimNamespace& names = upload.names;
    REQUIRE(names.put("source", "0123456789").ok());
    const CloneRange whole = names.all_of(names.id("source"));
    for (const std::uint32_t number : {1U, 2U}) {
        PutPartOp op = upload.part_op(number, "");
        op.part.size = 10;
        op.part.etag = tests::etag_of("copy");
        op.clones = {whole};
        REQUIRE(names.run(op).ok());
        REQUIRE(names.run(op).ok());  // again, over itself
        CHECK(names.problems() == "");
    }
    CHECK(names.live_bytes() == 10);
    REQUIRE(names.remove("source").ok());
    CHECK(names.live_bytes() == 10);
    CHECK(names.problems() == "");
    REQUIRE(names.run(upload.complete_op({{1, "copy"}, {2, "copy"}})).ok());
    CHECK(names.read("k") == "01234567890123456789");
    CHECK(names.live_bytes() == 10);
    CHECK(names.problems() == "");
    REQUIRE(names.remove("k").ok());
    CHECK(names.live_bytes() == 0);
    CHECK(names.problems() == "");
}

TEST_CASE("a part may copy a range of inline bytes") {
    Upload upload;
    SimNamespace& names = upload.names;
    PutObjectOp put = names.put_op("source", "");
    put.content = SimNamespace::kept(0, "0123456789");
    put.inode.size = 10;
    REQUIRE(names.run(put).ok());
    PutPartOp op = upload.part_op(1, "");
    op.part.size = 4;
    op.clones = {names.all_of(names.id("source"))};
    op.clones[0].source_offset = 3;
    op.clones[0].length = 4;
    REQUIRE(names.run(op).ok());
    CHECK(names.problems() == "");
    REQUIRE(names.remove("source").ok());
    CHECK(names.problems() == "");
    op.clones[0].source = 9999;
    check_error(names.run(op), Code::not_found, Why::stale);
    REQUIRE(names.run(AbortUploadOp{names.bucket, "k", kUpload}).ok());
    CHECK(names.tables.rows().inlines.empty());
    CHECK(names.problems() == "");
}

TEST_CASE("a multipart marker gives its parts to the directory") {
    Upload upload("m/");
    SimNamespace& names = upload.names;
    REQUIRE(names.put("m/x", "x").ok());
    REQUIRE(upload.put_inline(1, "in").ok());
    REQUIRE(upload.put(2, "stored").ok());
    CompleteUploadOp op = upload.complete_op({{1, "in"}, {2, "stored"}});
    op.key = "m/";
    REQUIRE(names.run(op).ok());
    CHECK(names.read("m/") == "instored");
    CHECK(names.inode("m/")->part_count == 2);
    CHECK(names.problems() == "");
    REQUIRE(names.remove("m/").ok());
    CHECK(names.tables.rows().inlines.empty());
    CHECK(names.live_bytes() == 1);
    CHECK(names.problems() == "");
}

TEST_CASE("a copy has the list of parts of its source, also where it takes its place") {
    Upload upload;
    SimNamespace& names = upload.names;
    REQUIRE(upload.put(1, "one").ok());
    REQUIRE(upload.put(2, "two").ok());
    REQUIRE(names.run(upload.complete_op({{1, "one"}, {2, "two"}})).ok());
    const std::vector<ObjectPart> parts = *names.tables.object_parts(names.id("k"));
    REQUIRE(parts.size() == 2);
    for (const char* key : {"l", "k"}) {
        CAPTURE(key);
        PutObjectOp copy{.bucket = names.bucket, .key = key, .time = names.tick()};
        copy.inode.size = 6;
        copy.clones = {names.all_of(names.id("k"))};
        copy.parts_of = names.id("k");
        REQUIRE(names.run(copy).ok());
        CHECK(names.read(key) == "onetwo");
        CHECK(names.inode(key)->part_count == 2);
        CHECK(*names.tables.object_parts(names.id(key)) == parts);
        CHECK(names.problems() == "");
    }
    for (const char* key : {"l", "k"}) REQUIRE(names.remove(key).ok());
    CHECK(names.tables.rows().object_parts.empty());
}

TEST_CASE("an object of many parts has its extents in the table") {
    Upload upload;
    std::vector<std::pair<std::uint32_t, std::string>> parts;
    std::string expected;
    for (std::uint32_t i = 1; i <= 30; ++i) {
        parts.emplace_back(i, "part" + std::to_string(i));
        REQUIRE(upload.put(i, parts.back().second).ok());
        expected += parts.back().second;
    }
    REQUIRE(upload.names.run(upload.complete_op(parts)).ok());
    CHECK(upload.names.inode("k")->extents_in_table);
    CHECK(upload.names.read("k") == expected);
    CHECK(upload.names.problems() == "");
}
