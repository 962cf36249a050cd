#include "objstore/meta/sqlite_store.h"

#include <doctest/doctest.h>

#include "objstore/meta/store_fixture.h"
#include "tests/sim/check_status.h"

namespace objstore {

namespace {

using tests::check_error;
using tests::SimOperation;
using tests::StoreFixture;

PutObjectOp put_inline(const StoreFixture& fixture, const std::string& key, std::string bytes) {
    PutObjectOp op;
    op.bucket = fixture.bucket;
    op.key = key;
    op.inode.size = bytes.size();
    op.content.inlines.push_back({0, std::move(bytes)});
    op.time = fixture.clock.now();
    return op;
}

std::string names_of(const std::vector<EntryWithInode>& entries) {
    std::string names;
    for (const EntryWithInode& one : entries) names += one.entry.name + " ";
    return names;
}

}  // namespace

TEST_CASE("what was made is there after a stop and a start") {
    StoreFixture fixture;
    fixture.open();
    const TxnResult made = fixture.create("file");
    REQUIRE(made.status.ok());
    REQUIRE(made.results.size() == 1);
    const InodeId id = made.results[0].inode->id;
    REQUIRE(fixture.set("name", "value").status.ok());
    REQUIRE(fixture.store->stop().ok());
    REQUIRE(fixture.store->stop().ok());
    fixture.close();

    fixture.open();
    const auto found = fixture.store->lookup(fixture.bucket, "file");
    REQUIRE(found.ok());
    CHECK(found->inode->id == id);
    CHECK(*found->inode == *made.results[0].inode);
    CHECK(*fixture.store->setting("name") == "value");
    CHECK(fixture.store->totals().inodes == 3);  // root, bucket, file
}

TEST_CASE("a store that is told not to make a namespace makes none") {
    StoreFixture fixture;
    fixture.options.create = false;
    check_error(fixture.try_open(), Code::not_found);
    CHECK_FALSE(fixture.disk.contents("meta/namespace.db").has_value());
}

TEST_CASE("a stopped store refuses changes and answers that it is stopped") {
    StoreFixture fixture;
    fixture.open();
    REQUIRE(fixture.store->stop().ok());
    check_error(fixture.create("late").status, Code::unavailable);
    check_error(fixture.store->list({fixture.bucket}).error(), Code::unavailable);
}

TEST_CASE("cached answers are those of the database") {
    StoreFixture fixture;
    fixture.open();
    const InodeId id = fixture.create("file").results[0].inode->id;
    REQUIRE(fixture.store->cached_inode(id) != nullptr);
    CHECK(fixture.store->cached_lookup(fixture.bucket, "file")->inode->id == id);
    fixture.close();
    fixture.open();
    CHECK(fixture.store->cached_inode(id) == nullptr);
    CHECK_FALSE(fixture.store->cached_lookup(fixture.bucket, "file").has_value());
    CHECK_FALSE(fixture.store->cached_lookup(fixture.bucket, "none").has_value());
    REQUIRE(fixture.store->lookup(fixture.bucket, "file").ok());
    check_error(fixture.store->lookup(fixture.bucket, "none").error(), Code::not_found);
    REQUIRE(fixture.store->cached_inode(id) != nullptr);
    REQUIRE(fixture.store->cached_lookup(fixture.bucket, "none").has_value());
    CHECK(fixture.store->cached_lookup(fixture.bucket, "none")->inode == nullptr);

    SetAttributesOp chmod;
    chmod.inode = id;
    chmod.mode = 0600;
    REQUIRE(fixture.store->commit(chmod).status.ok());
    CHECK(fixture.store->cached_inode(id)->mode == 0600);
    REQUIRE(fixture.store->commit(UnlinkOp{fixture.bucket, "file", 1}).status.ok());
    CHECK(fixture.store->cached_inode(id) == nullptr);
    CHECK(fixture.store->cached_lookup(fixture.bucket, "file")->inode == nullptr);
    check_error(fixture.store->getattr(id).error(), Code::not_found, Why::stale);
}

TEST_CASE("a Txn of several operations happens whole or not at all") {
    StoreFixture fixture;
    fixture.open();
    Txn txn;
    txn.ops.emplace_back(fixture.create_op(fixture.bucket, "a"));
    txn.ops.emplace_back(fixture.create_op(fixture.bucket, "b"));
    txn.ops.emplace_back(fixture.create_op(fixture.bucket, "a"));
    const TxnResult failed = fixture.store->commit(txn);
    check_error(failed.status, Code::already_exists);
    CHECK(failed.results.size() == 3);
    CHECK(failed.changes.empty());
    check_error(fixture.store->lookup(fixture.bucket, "b").error(), Code::not_found);
    txn.ops.pop_back();
    const TxnResult done = fixture.store->commit(txn);
    CHECK(done.status.ok());
    CHECK(done.results.size() == 2);
    CHECK_FALSE(done.changes.empty());
    CHECK(fixture.store->lookup(fixture.bucket, "b").ok());
}

TEST_CASE("a listing begins, ends and stops where it is asked to") {
    StoreFixture fixture;
    fixture.open();
    for (const std::string name : {"a", "ab", "abc", "b", "b\xff", "b\xff\xff", "c"}) {
        REQUIRE(fixture.create(name, false).status.ok());
    }
    const auto list = [&](ListQuery query) {
        query.parent = fixture.bucket;
        return names_of(*fixture.store->list(query));
    };
    CHECK(list({}) == "a ab abc b b\xff b\xff\xff c ");
    CHECK(list({.limit = 2}) == "a ab ");
    CHECK(list({.from = "ab"}) == "ab abc b b\xff b\xff\xff c ");
    CHECK(list({.from = "ab", .from_inclusive = false, .limit = 2}) == "abc b ");
    CHECK(list({.prefix = "ab"}) == "ab abc ");
    CHECK(list({.from = "aba", .prefix = "ab"}) == "abc ");
    CHECK(list({.from = "b", .prefix = "ab"}).empty());
    CHECK(list({.prefix = "b\xff"}) == "b\xff b\xff\xff ");
    CHECK(list({.prefix = "\xff"}).empty());
    const auto entries = fixture.store->list({fixture.bucket});
    for (const EntryWithInode& one : *entries) CHECK(one.inode->id == one.entry.inode);
}

TEST_CASE("a directory is read in the order of cookies, without what no path can express") {
    StoreFixture fixture;
    fixture.open();
    for (const std::string name : {"z", "a", "m"}) REQUIRE(fixture.create(name).status.ok());
    REQUIRE(fixture.store->commit(put_inline(fixture, "x//y", "1")).status.ok());
    const InodeId x = fixture.store->lookup(fixture.bucket, "x/")->inode->id;
    CHECK(fixture.store->read_directory(x, 0, 10)->empty());
    CHECK(fixture.store->list({x})->size() == 1);

    auto page = *fixture.store->read_directory(fixture.bucket, 0, 3);
    CHECK(names_of(page) == "z a m ");
    page = *fixture.store->read_directory(fixture.bucket, page.back().entry.cookie, 3);
    CHECK(names_of(page) == "x/ ");
    CHECK(fixture.store->read_directory(fixture.bucket, ~std::uint64_t{0}, 3)->empty());
}

TEST_CASE("hard links are listed with their inode") {
    StoreFixture fixture;
    fixture.open();
    const InodeId id = fixture.create("a").results[0].inode->id;
    REQUIRE(fixture.store->commit(LinkOp{id, fixture.bucket, "b", 5}).status.ok());
    fixture.close();
    fixture.open();
    const auto entries = *fixture.store->list({fixture.bucket});
    REQUIRE(entries.size() == 2);
    for (const EntryWithInode& one : entries) {
        CHECK(one.inode->id == id);
        CHECK(one.inode->nlink == 2);
    }
    CHECK(fixture.store->lookup(fixture.bucket, "b")->inode->nlink == 2);
}

TEST_CASE("content comes with the bytes of its inline extents") {
    StoreFixture fixture;
    fixture.open();
    const auto put = fixture.store->commit(put_inline(fixture, "key", "hello"));
    REQUIRE(put.status.ok());
    const InodeId id = put.results[0].inode->id;
    for (int round = 0; round < 2; ++round) {  // once from the cache
        const auto map = fixture.store->content(id, 0, 100);
        REQUIRE(map.ok());
        REQUIRE(map->extents.size() == 1);
        REQUIRE(map->inlines.size() == 1);
        CHECK(*map->inlines[0] == "hello");
        CHECK(map->inode->size == 5);
        CHECK(fixture.store->content(id, 5, 100)->extents.empty());
        fixture.close();
        fixture.open();
    }
    CHECK(fixture.store->totals().inline_bytes == 5);
    CHECK(fixture.store->inline_rows(0, 10)->size() == 1);
    check_error(fixture.store->content(12345, 0, 1).error(), Code::not_found, Why::stale);
}

TEST_CASE("extents in the table are found by range") {
    StoreFixture fixture;
    fixture.open();
    const InodeId id = fixture.create_in_table("big", 200);
    CHECK(fixture.store->content(id, 0, ~std::uint64_t{0})->extents.size() == 200);
    const auto some = fixture.store->content(id, 1049, 1201);
    REQUIRE(some->extents.size() == 3);
    CHECK(some->extents[0].logical_offset == 1000);
    CHECK(some->extents[2].logical_offset == 1200);
    CHECK(fixture.store->content(id, 1050, 1100)->extents.empty());
    CHECK(fixture.store->totals().live_bytes == 10'000);
    const auto volumes = fixture.store->volumes();
    REQUIRE(volumes->size() == 1);
    CHECK(volumes->at(0).live_bytes == 10'000);
    CHECK(volumes->at(0).named_end == 199 * 8192 + 8192);
}

TEST_CASE("extents in the table are kept in memory once they are read often between two changes") {
    StoreFixture fixture;
    fixture.options.cache_bytes = 256 * kMiB;
    fixture.open();
    const InodeId id = fixture.create_in_table("big", 200);
    SqliteStore* const store = fixture.store.get();
    const auto read = [&] { return store->content(id, 1049, 1201).value(); };
    const auto read_often = [&] {
        for (int i = 0; i < ExtentTable::kAsksMin; ++i) {
            CHECK(!store->cached_content(id, 0, 1));
            CHECK(read().extents.size() == 3);
        }
    };
    read_often();
    auto cached = store->cached_content(id, 1049, 1201);
    REQUIRE(cached);
    CHECK(cached->extents == read().extents);
    CHECK(cached->inlines.size() == 3);
    CHECK(store->cached_content(id, 0, ~std::uint64_t{0})->extents.size() == 200);

    // A commit that changes one of them, or the inode alone, ends it.
    WriteOp write{.inode = id, .time = fixture.clock.now()};
    write.content.extents = {StoreFixture::extent_at(11)};
    write.content.extents[0].length = 100;
    REQUIRE(store->commit(write).status.ok());
    CHECK(read().extents[1].length == 100);
    for (int i = 1; i < ExtentTable::kAsksMin; ++i) read();
    cached = store->cached_content(id, 1049, 1201);
    REQUIRE(cached);
    CHECK(cached->extents[1].length == 100);
    SetAttributesOp mode{.inode = id, .time = fixture.clock.now()};
    mode.mode = 0600;
    REQUIRE(store->commit(mode).status.ok());
    CHECK(!store->cached_content(id, 0, 1));
    CHECK(read().inode->mode == 0600);
    for (int i = 1; i < ExtentTable::kAsksMin; ++i) read();
    CHECK(store->cached_content(id, 0, 1)->inode->mode == 0600);

    REQUIRE(store->commit(UnlinkOp{fixture.bucket, "big", 6}).status.ok());
    while (store->upkeep().value()) {
    }
    CHECK(!store->cached_content(id, 0, 1));
    check_error(store->content(id, 0, 1).error(), Code::not_found, Why::stale);
}

TEST_CASE("a list of extents that is too long is never read whole") {
    StoreFixture fixture;
    fixture.options.cache_bytes = 256 * kMiB;
    fixture.open();
    const InodeId id = fixture.create_in_table("big", 1025);
    for (int i = 0; i < 3 * ExtentTable::kAsksMin; ++i) {
        CHECK(fixture.store->content(id, 0, 100)->extents.size() == 1);
        CHECK(!fixture.store->cached_content(id, 0, 1));
    }
}

TEST_CASE("uploads are paged by key, time and id, also past one that is gone") {
    StoreFixture fixture;
    fixture.open();
    const auto make = [&](std::uint64_t id, const std::string& key, UnixNanos initiated) {
        CreateUploadOp op;
        op.upload.id = id;
        op.upload.bucket = fixture.bucket;
        op.upload.key = key;
        op.upload.initiated = initiated;
        op.upload.headers = {{"content-type", "x/y"}};
        REQUIRE(fixture.store->commit(op).status.ok());
    };
    const std::uint64_t high = std::uint64_t{1} << 63 | 5;
    make(11, "a", 30);
    make(high, "a", 10);
    make(12, "a", 20);
    make(13, "b", 1);
    const auto ids = [&](std::string_view key, std::uint64_t id, std::size_t limit = 100) {
        std::vector<std::uint64_t> found;
        const auto rows = fixture.store->uploads(fixture.bucket, key, id, limit);
        REQUIRE(rows.ok());
        for (const UploadRow& row : *rows) found.push_back(row.id);
        return found;
    };
    using Ids = std::vector<std::uint64_t>;
    CHECK(ids("", 0) == Ids{high, 12, 11, 13});
    CHECK(ids("", 0, 2) == Ids{high, 12});
    CHECK(ids("a", 0) == Ids{13});
    CHECK(ids("a", high) == Ids{12, 11, 13});
    CHECK(ids("a", 11) == Ids{13});
    REQUIRE(fixture.store->commit(AbortUploadOp{fixture.bucket, "a", 12}).status.ok());
    CHECK(ids("a", 12) == Ids{high, 11, 13});
    CHECK(fixture.store->upload(high)->headers.size() == 1);
    check_error(fixture.store->upload(12).error(), Code::not_found, Why::no_upload);
}

TEST_CASE("xattrs are read without a query when the inode has none") {
    StoreFixture fixture;
    fixture.open();
    const InodeId id = fixture.create("f").results[0].inode->id;
    check_error(fixture.store->xattr(id, "user.a").error(), Code::not_found, Why::no_attribute);
    CHECK(fixture.store->xattrs(id)->empty());
    SetXattrOp op;
    op.xattr = {id, "user.a", "value"};
    REQUIRE(fixture.store->commit(op).status.ok());
    CHECK(*fixture.store->xattr(id, "user.a") == "value");
    CHECK(fixture.store->xattrs(id)->size() == 1);
    check_error(fixture.store->xattr(id, "user.b").error(), Code::not_found, Why::no_attribute);
    check_error(fixture.store->xattr(999, "user.b").error(), Code::not_found, Why::stale);
}

TEST_CASE("a removed file that is held stays until it is released") {
    StoreFixture fixture;
    fixture.open();
    const InodeId id = fixture.create("f").results[0].inode->id;
    REQUIRE(fixture.store->hold(id).ok());
    REQUIRE(fixture.store->hold(id).ok());
    REQUIRE(fixture.store->commit(UnlinkOp{fixture.bucket, "f", 1}).status.ok());
    CHECK(fixture.store->getattr(id).ok());
    CHECK(fixture.store->orphans(10)->size() == 1);
    fixture.store->release(id);
    REQUIRE(fixture.store->sync().ok());
    CHECK(fixture.store->getattr(id).ok());
    fixture.store->release(id);
    REQUIRE(fixture.store->sync().ok());
    check_error(fixture.store->getattr(id).error(), Code::not_found, Why::stale);
    CHECK(fixture.store->orphans(10)->empty());
    check_error(fixture.store->hold(id), Code::not_found, Why::stale);
}

TEST_CASE("orphans that a crash left are reaped by upkeep") {
    StoreFixture fixture;
    fixture.open();
    const InodeId id = fixture.create("f").results[0].inode->id;
    REQUIRE(fixture.store->hold(id).ok());
    REQUIRE(fixture.store->commit(UnlinkOp{fixture.bucket, "f", 1}).status.ok());
    REQUIRE(fixture.store->upkeep().ok());
    CHECK(fixture.store->getattr(id).ok());  // still held
    fixture.power_cycle();
    CHECK(fixture.store->getattr(id).ok());
    REQUIRE(fixture.store->upkeep().ok());
    check_error(fixture.store->getattr(id).error(), Code::not_found, Why::stale);
}

TEST_CASE("a directory that a mount used is pruned once it is unused, also after a restart") {
    StoreFixture fixture;
    fixture.open();
    REQUIRE(fixture.store->commit(put_inline(fixture, "d/key", "1")).status.ok());
    const InodeId directory = fixture.store->lookup(fixture.bucket, "d/")->inode->id;
    fixture.store->touch_directory(directory);
    DeleteObjectOp remove;
    remove.bucket = fixture.bucket;
    remove.key = "d/key";
    REQUIRE(fixture.store->commit(remove).status.ok());
    REQUIRE(fixture.store->upkeep().ok());
    CHECK(fixture.store->getattr(directory).ok());
    fixture.power_cycle();
    fixture.clock.advance(std::chrono::seconds(61));
    REQUIRE(fixture.store->upkeep().ok());
    check_error(fixture.store->lookup(fixture.bucket, "d/").error(), Code::not_found);
}

TEST_CASE("an idle store touches nothing") {
    StoreFixture fixture;
    fixture.open();
    REQUIRE(fixture.create("f").status.ok());
    REQUIRE(fixture.store->sync().ok());
    const std::uint64_t before = fixture.world.operation_count();
    REQUIRE(fixture.store->sync().ok());
    REQUIRE(fixture.store->upkeep().ok());
    CHECK(fixture.store->getattr(fixture.bucket).ok());
    CHECK(fixture.world.operation_count() == before);
}

TEST_CASE("commits that need not be durable cost no sync until one that is") {
    StoreFixture fixture;
    fixture.open();
    REQUIRE(fixture.store->sync().ok());
    const std::uint64_t before = fixture.disk.count(SimOperation::sync);
    for (int i = 0; i < 5; ++i) REQUIRE(fixture.create(std::to_string(i), false).status.ok());
    CHECK(fixture.disk.count(SimOperation::sync) == before);
    REQUIRE(fixture.store->sync().ok());
    CHECK(fixture.disk.count(SimOperation::sync) == before + 1);
    REQUIRE(fixture.store->sync().ok());
    CHECK(fixture.disk.count(SimOperation::sync) == before + 1);
    REQUIRE(fixture.create("durable").status.ok());
    CHECK(fixture.disk.count(SimOperation::sync) == before + 2);
}

TEST_CASE("with an interval of zero every commit is durable") {
    StoreFixture fixture;
    fixture.options.writer.sync_interval = std::chrono::milliseconds(0);
    fixture.open();
    REQUIRE(fixture.create("f", false).status.ok());
    fixture.world.cut_power();
    fixture.power_cycle();
    CHECK(fixture.store->lookup(fixture.bucket, "f").ok());
}

TEST_CASE("a queue that is full refuses at once") {
    StoreFixture fixture;
    fixture.options.writer.queue_txns_max = 0;
    fixture.bucket = 1;  // open makes none
    REQUIRE(fixture.try_open().ok());
    check_error(fixture.set("a", "b").status, Code::unavailable, Why::busy);
}

TEST_CASE("the log is checkpointed and does not grow without bound") {
    StoreFixture fixture;
    fixture.options.writer.checkpoint_pages = 50;
    fixture.open();
    for (int i = 0; i < 400; ++i) {
        REQUIRE(fixture.create(fmt::format("name-{}", i), false).status.ok());
        if (i % 10 == 0) REQUIRE(fixture.store->list({fixture.bucket}).ok());
    }
    CHECK(fixture.disk.contents("meta/namespace.db-wal")->size() <= 5 * kMiB);
    CHECK(fixture.disk.contents("meta/namespace.db")->size() > 20 * 4096);
    CHECK(fixture.store->list({fixture.bucket})->size() == 400);
}

TEST_CASE("buckets are found by name and by inode") {
    StoreFixture fixture;
    fixture.open();
    CHECK(fixture.store->bucket("b")->inode == fixture.bucket);
    CHECK(fixture.store->bucket_by_inode(fixture.bucket)->name == "b");
    check_error(fixture.store->bucket("c").error(), Code::not_found, Why::no_bucket);
    check_error(fixture.store->bucket_by_inode(5).error(), Code::not_found, Why::no_bucket);
    REQUIRE(fixture.store->commit(DeleteBucketOp{"b", 1}).status.ok());
    CHECK(fixture.store->buckets()->empty());
    check_error(fixture.store->bucket("b").error(), Code::not_found, Why::no_bucket);
}

}  // namespace objstore
