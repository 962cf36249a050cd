#include "objstore/engine/engine.h"

#include <thread>

#include <doctest/doctest.h>

#include "objstore/engine/engine_fixture.h"
#include "objstore/meta/connection.h"
#include "objstore/meta/sqlite_vfs.h"
#include "tests/store/sim_store.h"

namespace objstore {
namespace {

using tests::SimStore;
using tests::some_bytes;

std::vector<std::string> keys_of(const ListPage& page) {
    std::vector<std::string> keys;
    for (const ObjectInfo& object : page.objects) keys.push_back(object.key);
    return keys;
}

using Keys = std::vector<std::string>;

// All pages of a listing, `limit` at a time: keys and common prefixes in the order given.
Keys list_all(SimStore& store, ListRequest request) {
    Keys all;
    for (int pages = 0; pages < 1000; ++pages) {
        const auto page = store.engine().list(store.bucket(), request);
        REQUIRE(page.ok());
        Keys both = keys_of(*page);
        both.insert(both.end(), page->common_prefixes.begin(), page->common_prefixes.end());
        std::sort(both.begin(), both.end());
        all.insert(all.end(), both.begin(), both.end());
        if (!page->truncated) return all;
        request.start_after = page->next;
    }
    FAIL("the listing has no end");
    return all;
}

TEST_CASE("what is put is read, whatever its size") {
    SimStore store({});
    for (const std::size_t size : {0, 1, 4096, 65536, 65537, 131072, 131073, 1 << 20, 5000000}) {
        CAPTURE(size);
        const std::string bytes = some_bytes(size, size);
        REQUIRE(store.put("k", bytes).ok());
        CHECK(store.read("k").value() == bytes);
    }
}

TEST_CASE("inline bytes that are damaged stay where they are and hold up no others") {
    SimStore store({.pack_after = std::chrono::hours(1)});
    for (const char* key : {"a", "b", "c"}) REQUIRE(store.put(key, some_bytes(500, 9)).ok());
    store.close();
    for (const auto& [disk, path] : store.namespace_files()) {
        const SqliteVfs vfs(*disk, "rot");
        const auto connection = Connection::open({path, vfs.name()}).value();
        // Those of "b" are others now.
        REQUIRE(connection
                    ->execute("UPDATE inline_data SET crc = crc - 1"
                              " WHERE id = (SELECT id FROM inline_data ORDER BY id LIMIT 1, 1)")
                    .ok());
    }
    REQUIRE(store.open().ok());
    CHECK(store.engine().pack().ok());
    const auto rows = store.engine().names().inline_rows(0, 10);
    REQUIRE(rows->size() == 1);
    CHECK(store.read("a").value() == some_bytes(500, 9));
    CHECK(store.read("b").code() == Code::corruption);
    CHECK(store.read("c").value() == some_bytes(500, 9));
    CHECK(store.engine().pack().ok());
}

TEST_CASE("a deleted file of many extents is freed without any other traffic") {
    SimStore store({.pack_after = std::chrono::milliseconds(1)});
    REQUIRE(store.put("k", "").ok());
    const InodeId id = store.engine().stat(store.bucket(), "k")->inode->id;
    const std::uint64_t inodes = store.engine().names().totals().inodes;
    // More than a few steps free.
    WriteOp op;
    op.inode = id;
    const std::string bytes = some_bytes(12'000, 1);
    std::vector<WritePiece> pieces;
    for (std::uint64_t i = 0; i < bytes.size(); ++i) {
        pieces.push_back({2 * i, as_bytes(bytes).subspan(i, 1)});
    }
    REQUIRE(store.engine().write(std::move(op), pieces, {}).ok());
    REQUIRE(store.engine().pack().ok());
    REQUIRE(store.engine().names().totals().live_bytes == bytes.size());
    REQUIRE(store.remove("k").ok());
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    const auto totals = [&] { return store.engine().names().totals(); };
    while (totals().inodes == inodes && std::chrono::steady_clock::now() < give_up) {
        std::this_thread::yield();
    }
    CHECK(totals().inodes == inodes - 1);
    CHECK(totals().live_bytes == 0);
    CHECK(totals().upkeep_waiting == 0);
}

TEST_CASE("paths that are too long for keys are in no listing") {
    SimStore store({});
    InodeId directory = store.bucket();
    Keys expected;
    std::string path;
    for (char c = 'a'; c < 'f'; ++c) {
        CreateOp make{.parent = directory, .name = std::string(250, c)};
        make.inode.type = FileType::directory;
        path += make.name + '/';
        const auto made = store.engine().apply(std::move(make), {});
        REQUIRE(made.ok());
        directory = made->inode->id;
        REQUIRE(store.engine().apply(CreateOp{.parent = directory, .name = "z"}, {}).ok());
        if (path.size() < 1024) expected.insert(expected.begin(), path + 'z');
    }
    CHECK(list_all(store, {}) == expected);
    CHECK(list_all(store, {.limit = 1}) == expected);
    path.resize(4 * 251);
    CHECK(list_all(store, {.prefix = path, .delimiter = "/"}) == Keys{path + 'z'});
}

TEST_CASE("objects survive a clean restart") {
    SimStore store({});
    REQUIRE(store.put("small", some_bytes(4096, 1)).ok());
    REQUIRE(store.put("a/b/large", some_bytes(3000000, 2)).ok());
    store.close();
    REQUIRE(store.open().ok());
    CHECK(store.read("small").value() == some_bytes(4096, 1));
    CHECK(store.read("a/b/large").value() == some_bytes(3000000, 2));
}

TEST_CASE("a reader keeps the content it opened while the key is overwritten and removed") {
    SimStore store({});
    for (const std::size_t size : {std::size_t{100}, std::size_t{3000000}}) {
        const std::string old = some_bytes(size, 3);
        REQUIRE(store.put("k", old).ok());
        const auto object = store.engine().stat(store.bucket(), "k");
        REQUIRE(object.ok());
        auto reader = store.engine().open(*object);
        REQUIRE(reader.ok());
        REQUIRE(store.put("k", "new").ok());
        REQUIRE(store.remove("k").ok());
        std::string got(size, '\0');
        REQUIRE((*reader)->read(0, std::as_writable_bytes(std::span(got))).ok());
        CHECK(got == old);
        CHECK(store.read("k").code() == Code::not_found);
    }
}

TEST_CASE("any part of an object can be read") {
    SimStore store({});
    const std::string bytes = some_bytes(9 << 20, 4);
    REQUIRE(store.put("k", bytes).ok());
    const auto object = store.engine().stat(store.bucket(), "k");
    const auto reader = store.engine().open(*object);
    REQUIRE(reader.ok());
    tests::SimRandom random(5);
    for (int i = 0; i < 200; ++i) {
        const std::uint64_t from = random.below(bytes.size());
        const std::uint64_t length =
            1 + random.below(std::min<std::uint64_t>(bytes.size() - from, 100000));
        CAPTURE(from);
        CAPTURE(length);
        std::string got(length, '\0');
        REQUIRE((*reader)->read(from, std::as_writable_bytes(std::span(got))).ok());
        CHECK(got == bytes.substr(from, length));
    }
}

TEST_CASE("keys are listed in the order of their bytes") {
    SimStore store({});
    Keys keys = {
        "a", "a-b", "a/b", "a0", "a/", "b/c/d", "b/c-", "b", "z//y", "z/y", "/lead", "a/b/c"};
    for (const std::string& key : keys) REQUIRE(store.put(key, "x").ok());
    std::sort(keys.begin(), keys.end());
    for (const std::size_t limit : {1000, 1, 2, 5}) {
        CAPTURE(limit);
        CHECK(list_all(store, {.limit = limit}) == keys);
    }
}

TEST_CASE("operations applied together succeed and fail each by itself, in their order") {
    SimStore store({});
    for (int i = 0; i < 300; ++i) REQUIRE(store.put(std::to_string(i), "x").ok());
    std::vector<Op> ops;
    for (int i = 0; i < 300; ++i) {
        DeleteObjectOp op{.bucket = store.bucket(), .key = std::to_string(i), .time = 1};
        if (i % 3 == 0) op.conditions.if_match = {"another"};
        ops.emplace_back(std::move(op));
    }
    const auto results = store.engine().apply_each(std::move(ops), {.door = Door::s3});
    REQUIRE(results.size() == 300);
    for (int i = 0; i < 300; ++i) {
        CAPTURE(i);
        CHECK(results[static_cast<std::size_t>(i)].ok() == (i % 3 != 0));
        CHECK(store.read(std::to_string(i)).ok() == (i % 3 == 0));
    }
}

TEST_CASE("a delimiter of the highest byte ends its listing") {
    SimStore store({});
    for (const char* key : {"a",
                            "b\xff"
                            "1",
                            "b\xff"
                            "2",
                            "\xff"
                            "1",
                            "\xff\xff"}) {
        REQUIRE(store.put(key, "x").ok());
    }
    for (const std::size_t limit : {1000, 1, 2}) {
        CAPTURE(limit);
        CHECK(list_all(store, {.delimiter = "\xff", .limit = limit}) == Keys{"a", "b\xff", "\xff"});
    }
}

TEST_CASE("prefixes and delimiters roll keys up") {
    SimStore store({});
    for (const char* key : {"a/1", "a/2", "a/b/3", "ab", "abc/4", "c/5", "c/6", "d-e-f", "d-e-g"}) {
        REQUIRE(store.put(key, "x").ok());
    }
    for (const std::size_t limit : {1000, 1, 3}) {
        CAPTURE(limit);
        CHECK(list_all(store, {.delimiter = "/", .limit = limit}) ==
              Keys{"a/", "ab", "abc/", "c/", "d-e-f", "d-e-g"});
        CHECK(list_all(store, {.prefix = "a/", .delimiter = "/", .limit = limit}) ==
              Keys{"a/1", "a/2", "a/b/"});
        CHECK(list_all(store, {.prefix = "a", .delimiter = "/", .limit = limit}) ==
              Keys{"a/", "ab", "abc/"});
        CHECK(list_all(store, {.prefix = "a", .limit = limit}) ==
              Keys{"a/1", "a/2", "a/b/3", "ab", "abc/4"});
        CHECK(list_all(store, {.prefix = "d", .delimiter = "-", .limit = limit}) == Keys{"d-"});
        CHECK(list_all(store, {.delimiter = "-e", .limit = limit}) ==
              Keys{"a/1", "a/2", "a/b/3", "ab", "abc/4", "c/5", "c/6", "d-e"});
        CHECK(list_all(store, {.prefix = "nothing", .limit = limit}).empty());
        CHECK(list_all(store, {.prefix = "a/b/3/x", .limit = limit}).empty());
    }
    CHECK(list_all(store, {.start_after = "c/5"}) == Keys{"c/6", "d-e-f", "d-e-g"});
}

TEST_CASE("a copy shares its source's bytes and outlives it") {
    SimStore store({});
    const std::string bytes = some_bytes(2000000, 6);
    REQUIRE(store.put("from", bytes).ok());
    const auto source = store.engine().stat(store.bucket(), "from");
    REQUIRE(source.ok());
    // A disk without a mirror of the namespace.
    const std::uint64_t written = store.world().disk(5).bytes_written();
    PutAttributes attributes;
    attributes.etag = source->inode->etag;
    REQUIRE(store.engine()
                .copy({source->inode, 0, source->inode->size}, store.bucket(), "to", attributes)
                .ok());
    CHECK(store.world().disk(5).bytes_written() == written);
    REQUIRE(store.remove("from").ok());
    CHECK(store.read("to").value() == bytes);
    CHECK(store.engine().copy({source->inode, 0, 1}, store.bucket(), "x", {}).ok() == false);
}

TEST_CASE("a multipart upload becomes one object without moving data") {
    SimStore store({});
    Engine& engine = store.engine();
    const UploadRow upload = begin_upload(engine, store.bucket(), "m");
    std::string all;
    CompleteUploadOp complete;
    complete.bucket = store.bucket();
    complete.key = "m";
    complete.upload = 77;
    complete.part_bytes_min = 1000;
    for (const std::uint32_t number : {2U, 5U, 9U}) {
        const std::string bytes = some_bytes(number == 9 ? 10 : 1500000, number);
        auto content = engine.new_content({.inode = upload.inode, .generation = 1}, bytes.size());
        REQUIRE(content->write(as_bytes(bytes)).ok());
        PartAttributes attributes{.number = number};
        attributes.etag.digest[0] = static_cast<std::byte>(number);
        const auto part = engine.put_part(upload, std::move(content), attributes);
        REQUIRE(part.ok());
        complete.parts.push_back({number, part->etag.to_string(), ""});
        all += bytes;
    }
    auto rows = engine.names().parts(77, 0, 10).value();
    REQUIRE(rows.size() == 3);
    CHECK(engine.complete_upload(complete, std::span(rows).first(2)).why() == Why::invalid_part);
    std::swap(rows[0].etag, rows[1].etag);
    CHECK(engine.complete_upload(complete, rows).why() == Why::invalid_part);
    std::swap(rows[0].etag, rows[1].etag);
    const auto done = engine.complete_upload(complete, rows);
    REQUIRE(done.ok());
    CHECK(done->inode->etag.parts == 3);
    CHECK(store.read("m").value() == all);
    CHECK(engine.names().upload(77).code() == Code::not_found);
}

TEST_CASE("writes in place overlay old bytes, and holes are zeros") {
    SimStore store({});
    std::string model = some_bytes(300000, 7);
    REQUIRE(store.put("k", model).ok());
    const InodeId inode = store.engine().stat(store.bucket(), "k")->inode->id;
    tests::SimRandom random(8);
    for (int i = 0; i < 60; ++i) {
        const std::uint64_t at = random.below(400000);
        const std::string bytes = some_bytes(1 + random.below(30000), random.next());
        const WritePiece piece{at, as_bytes(bytes)};
        REQUIRE(store.engine().write({.inode = inode, .time = 1}, {&piece, 1}, {}).ok());
        if (model.size() < at + bytes.size()) model.resize(at + bytes.size());
        model.replace(at, bytes.size(), bytes);
    }
    std::string got(model.size() + 10, '\1');
    const auto count = store.engine().read(inode, 0, std::as_writable_bytes(std::span(got)));
    REQUIRE(count.ok());
    REQUIRE(*count == model.size());
    got.resize(*count);
    CHECK(got == model);
    CHECK(store.read("k").value() == model);
}

TEST_CASE("every object reads right with any two disks without the namespace gone") {
    const std::string small = some_bytes(4096, 9);
    const std::string large = some_bytes(6000000, 10);
    for (std::size_t a = 1; a < 6; ++a) {
        for (std::size_t b = a + 1; b < 6; ++b) {
            CAPTURE(a);
            CAPTURE(b);
            SimStore store({});
            REQUIRE(store.put("small", small).ok());
            REQUIRE(store.put("large", large).ok());
            store.world().disk(a).set_dead(true);
            store.world().disk(b).set_dead(true);
            CHECK(store.read("small").value_or("") == small);
            CHECK(store.read("large").value_or("") == large);
            CHECK(store.put("new", large).ok());
            CHECK(store.read("new").value_or("") == large);
        }
    }
}

}  // namespace
}  // namespace objstore
