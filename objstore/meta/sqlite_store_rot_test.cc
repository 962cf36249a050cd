// Pages that can not be read, in the middle of batches.
#include <set>

#include <doctest/doctest.h>

#include "objstore/meta/sqlite_store.h"
#include "objstore/meta/store_fixture.h"
#include "tests/sim/check_status.h"

namespace objstore {

namespace {

using tests::SimFailure;
using tests::SimFault;
using tests::SimOperation;
using tests::StoreFixture;

constexpr const char* kDatabase = "meta/namespace.db";
constexpr int kNames = 120;

// Long enough that the trees have several pages.
std::string name_of(int i, const char* end = "") {
    return fmt::format("{:04}-{}{}", i, std::string(180, 'n'), end);
}

// A namespace whose names are on the disk and in no cache.
void prepare(StoreFixture& fixture) {
    fixture.open();
    for (int i = 0; i < kNames; ++i) REQUIRE(fixture.create(name_of(i), false).status.ok());
    fixture.close();
    fixture.open();
}

// Names that come (those with an end) or go, one a Txn.
using Changes = std::vector<std::string>;

Txn change(const StoreFixture& fixture, const std::string& name) {
    Txn txn;
    if (name.back() == 'n') {
        txn.ops.emplace_back(UnlinkOp{fixture.bucket, name, fixture.clock.now()});
    } else {
        txn.ops.emplace_back(fixture.create_op(fixture.bucket, name));
    }
    return txn;
}

std::vector<Status> run_batch(StoreFixture& fixture, const Changes& changes) {
    std::vector<Txn> txns;
    for (const std::string& name : changes) txns.push_back(change(fixture, name));
    std::vector<Status> statuses;
    for (TxnResult& result : fixture.run_batch(std::move(txns))) {
        statuses.push_back(std::move(result.status));
    }
    return statuses;
}

// What was acknowledged has happened, what was refused has not, and every count is right.
void check_outcome(StoreFixture& fixture,
                   const Changes& changes,
                   const std::vector<Status>& statuses) {
    const auto entries = fixture.store->list({fixture.bucket, "", true, "", 100'000});
    REQUIRE(entries.ok());
    std::set<std::string> names;
    for (const EntryWithInode& one : *entries) names.insert(one.entry.name);
    for (std::size_t i = 0; i < changes.size(); ++i) {
        CAPTURE(changes[i]);
        CAPTURE(statuses[i].message());
        const bool comes = changes[i].back() != 'n';
        CHECK(names.contains(changes[i]) == (comes == statuses[i].ok()));
    }
    CHECK(fixture.store->totals().inodes == names.size() + 2);
    CHECK(fixture.store->getattr(fixture.bucket).value()->directory.children == names.size());
}

constexpr std::size_t kLogHeaderBytes = 32;
constexpr std::size_t kFrameBytes = 24 + 4096;

// Where the frames end that have the salts of the log's header: there are no torn ones here.
std::size_t end_of(const std::string& log) {
    std::size_t at = kLogHeaderBytes;
    while (log.compare(at + 8, 8, log, 16, 8) == 0) at += kFrameBytes;
    return at;
}

// A log that began anew over a longer one, after a power cut.
struct LogFixture : StoreFixture {
    LogFixture() : StoreFixture(tests::test_seed()) {
        options.writer.checkpoint_pages = 16;
        open();
        for (int i = 0; i < kNames; ++i) REQUIRE(create(name_of(i)).status.ok());
        world.cut_power();
        close();
        world.power_cycle();
        log_bytes = *disk.contents(kLog);
        end = end_of(log_bytes);
        REQUIRE(end > kLogHeaderBytes + 2 * kFrameBytes);
        // There is an older frame behind it.
        REQUIRE(log_bytes.substr(end, kFrameBytes) != std::string(kFrameBytes, '\0'));
    }
    bool has_all_names() const {
        for (int i = 0; i < kNames; ++i) {
            if (!store->lookup(bucket, name_of(i)).ok()) return false;
        }
        return true;
    }

    static constexpr const char* kLog = "meta/namespace.db-wal";
    std::string log_bytes;
    std::size_t end = 0;
};

std::size_t count_failed(const std::vector<Status>& statuses) {
    return static_cast<std::size_t>(std::count_if(
        statuses.begin(), statuses.end(), [](const Status& status) { return !status.ok(); }));
}

}  // namespace

TEST_CASE("a read that fails in a batch fails one Txn at most, and tears nothing") {
    Changes changes;
    for (int i = 0; i < kNames; i += 7) changes.push_back(name_of(i, i % 2 == 0 ? "" : "+"));
    std::size_t failed_in_all = 0;
    for (std::uint64_t after = 0;; ++after) {
        CAPTURE(after);
        StoreFixture fixture(tests::test_seed() + after);
        prepare(fixture);
        fixture.disk.fail(
            {.operation = SimOperation::read, .after = after, .path = "namespace.db"});
        const std::uint64_t reads = fixture.disk.count(SimOperation::read);
        const auto statuses = run_batch(fixture, changes);
        const bool hit = fixture.disk.count(SimOperation::read) - reads > after;
        fixture.disk.clear_faults();
        CHECK(count_failed(statuses) <= 1);
        failed_in_all += count_failed(statuses);
        check_outcome(fixture, changes, statuses);
        fixture.world.cut_power();
        fixture.power_cycle();
        check_outcome(fixture, changes, statuses);
        if (!hit) break;
    }
    CHECK(failed_in_all > 0);
}

TEST_CASE("a rotten page fails those who touch it and nobody else") {
    StoreFixture fixture(tests::test_seed());
    prepare(fixture);
    const std::string whole = *fixture.disk.contents(kDatabase);
    const std::size_t page = whole.find(name_of(60)) / 4096;
    REQUIRE(page > 1);
    fixture.disk.corrupt(kDatabase, page * 4096 + 2000, 16);
    // One of them is in the cache: opening the database anew would clear it.
    const InodePtr cached = fixture.store->lookup(fixture.bucket, name_of(3)).value().inode;
    Changes changes;
    for (int i = 0; i < kNames; ++i) changes.push_back(name_of(i, "+"));
    for (int i = 1; i < kNames; i += 5) changes.push_back(name_of(i));
    const auto statuses = run_batch(fixture, changes);
    CHECK(count_failed(statuses) > 0);
    CHECK(count_failed(statuses) < changes.size() / 2);
    for (const Status& status : statuses) {
        if (!status.ok()) tests::check_error(status, Code::corruption);
    }
    CHECK(fixture.store->cached_inode(cached->id) != nullptr);
    CHECK(fixture.create("later").status.ok());
    // Once the page is what it was, all can be seen.
    fixture.world.cut_power();
    fixture.close();
    fixture.world.power_cycle();
    const auto file = fixture.disk.open(kDatabase, OpenMode::write).value();
    REQUIRE(file->write_at(page * 4096, as_bytes(whole).subspan(page * 4096, 4096)).ok());
    fixture.open();
    REQUIRE(fixture.store->commit(UnlinkOp{fixture.bucket, "later", 1}).status.ok());
    check_outcome(fixture, changes, statuses);
}

TEST_CASE("a rotten page of a list of extents fails those who ask for what is there alone") {
    StoreFixture fixture(tests::test_seed());
    fixture.options.cache_bytes = 64 * kMiB;
    fixture.open();
    const InodeId id = fixture.create_in_table("big", 400);
    fixture.close();
    const std::string whole = *fixture.disk.contents(kDatabase);
    const auto file = fixture.disk.open(kDatabase, OpenMode::write).value();
    int partly = 0;
    for (std::size_t at = 4096; at < whole.size(); at += 4096) {
        CAPTURE(at);
        REQUIRE(file->write_at(0, as_bytes(whole)).ok());
        fixture.disk.corrupt(kDatabase, at + 2000, 16);
        if (fixture.try_open().ok() && fixture.store->getattr(id).ok()) {
            const bool good = fixture.store->content(id, 0, 100).ok();
            for (int i = 1; i < 2 * ExtentTable::kAsksMin; ++i) {
                CHECK(fixture.store->content(id, 0, 100).ok() == good);
            }
            if (good && !fixture.store->cached_content(id, 0, 100)) ++partly;
        }
        fixture.close();
    }
    CHECK(partly > 0);
    REQUIRE(file->write_at(0, as_bytes(whole)).ok());
}

TEST_CASE("a page that has become zeros is not read as bytes of zeros") {
    StoreFixture fixture(tests::test_seed());
    fixture.open();
    PutObjectOp op{.bucket = fixture.bucket, .key = "k", .time = 5};
    const std::string bytes(40'000, 'x');
    op.content.inlines.push_back({0, bytes});
    op.inode.size = bytes.size();
    const auto put = fixture.store->commit(op);
    REQUIRE(put.status.ok());
    const InodeId id = put.results[0].inode->id;
    fixture.close();
    const std::string whole = *fixture.disk.contents(kDatabase);
    const std::string run(4000, 'x');
    const std::size_t page = whole.find(run) / 4096 + 1;
    const auto file = fixture.disk.open(kDatabase, OpenMode::write).value();
    const auto read = [&] { return fixture.store->content(id, 0, bytes.size()).error(); };
    // A start writes anew what the log has.
    fixture.open();
    REQUIRE(file->write_at(page * 4096, as_bytes(std::string(4096, '\0'))).ok());
    tests::check_error(read(), Code::corruption);
    fixture.close();
    fixture.open();
    // Nor is the end of a file that was cut.
    REQUIRE(file->truncate(page * 4096).ok());
    tests::check_error(read(), Code::corruption);
}

TEST_CASE("whatever of the log can not be read, a start has all names or refuses") {
    std::size_t blocks = 1;
    for (std::size_t block = 0; block < blocks; ++block) {
        CAPTURE(block);
        LogFixture fixture;
        blocks = fixture.end / 4096 + 4;
        fixture.disk.lose(LogFixture::kLog, block * 4096, 4096);
        const Status opened = fixture.try_open();
        // The first frame that is none has its header in this block or the next.
        const bool may_hold_commits = block <= (fixture.end + 23) / 4096;
        CHECK(opened.ok() == !may_hold_commits);
        if (opened.ok()) {
            CHECK(fixture.has_all_names());
            CHECK(fixture.create("later").status.ok());
            continue;
        }
        tests::check_error(opened, Code::io_error);
        // Nothing has changed, so another try finds all when the disk can read again.
        fixture.close();
        CHECK(fixture.disk.contents(LogFixture::kLog) == fixture.log_bytes);
        const auto file = fixture.disk.open(LogFixture::kLog, OpenMode::write).value();
        const Bytes bytes = as_bytes(fixture.log_bytes).subspan(block * 4096, 4096);
        REQUIRE(file->write_at(block * 4096, bytes).ok());
        fixture.open();
        CHECK(fixture.has_all_names());
    }
}

TEST_CASE("a log with nothing readable behind its end is mended by a start") {
    LogFixture fixture;
    const std::size_t from = round_up<std::size_t>(fixture.end + 24, 4096);
    fixture.disk.lose(LogFixture::kLog, from, fixture.log_bytes.size() - from);
    fixture.open();
    CHECK(fixture.has_all_names());
    for (int i = 0; i < kNames; ++i) CHECK(fixture.create(name_of(i, "+")).status.ok());
    fixture.world.cut_power();
    fixture.power_cycle();
    CHECK(fixture.has_all_names());
    CHECK(fixture.store->lookup(fixture.bucket, name_of(kNames - 1, "+")).ok());
}

TEST_CASE("a log without a header that can be read as one is not said to have an end") {
    LogFixture fixture;
    fixture.disk.corrupt(LogFixture::kLog, 16, 8);
    fixture.disk.lose(LogFixture::kLog, 4096, 4096);
    tests::check_error(fixture.try_open(), Code::corruption);
}

TEST_CASE("inline bytes that are not those that were written are not given") {
    StoreFixture fixture(tests::test_seed());
    fixture.open();
    PutObjectOp op{.bucket = fixture.bucket, .key = "k", .time = 5};
    op.content.inlines.push_back({0, "hello"});
    op.inode.size = 5;
    const InodeId id = fixture.store->commit(op).results.at(0).inode->id;
    for (const char* change : {"bytes = x'68656c6c6d'",           // others
                               "bytes = x'68656c6c6d', crc = 0",  // with another checksum
                               "bytes = x'68656c6c'"}) {          // too few
        CAPTURE(change);
        fixture.close();
        const SqliteVfs vfs(fixture.disk, "rot");
        auto connection = Connection::open({"meta/namespace.db", vfs.name()}).value();
        REQUIRE(connection->execute(fmt::format("UPDATE inline_data SET {}", change)).ok());
        connection.reset();
        fixture.open();
        tests::check_error(fixture.store->content(id, 0, 5).error(), Code::corruption);
    }
    DeleteObjectOp remove{.bucket = fixture.bucket, .key = "k", .time = 6};
    CHECK(fixture.store->commit(std::move(remove)).status.ok());
    CHECK(fixture.store->inline_rows(0, 10)->empty());
}

}  // namespace objstore
