#include "objstore/meta/sqlite_vfs.h"

#include <cstdlib>
#include <filesystem>
#include <thread>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sqlite3.h>

#include "objstore/base/guarded.h"
#include "objstore/disk/local_disk.h"
#include "tests/sim/sim_disk.h"

namespace objstore {

namespace {

using tests::SimDisk;
using tests::SimFailure;
using tests::SimOperation;
using tests::SimWorld;

constexpr const char* kVfs = "test";
constexpr const char* kPath = "t.db";
const std::string kWal = "t.db-wal";

// A connection that a test uses; closed at its end.
class Connection final {
public:
    explicit Connection(int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) {
        result_ = sqlite3_open_v2(kPath, &connection_, flags | SQLITE_OPEN_NOMUTEX, kVfs);
        sqlite3_extended_result_codes(connection_, 1);
    }
    ~Connection() { sqlite3_close(connection_); }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    sqlite3* get() const { return connection_; }
    int opened() const { return result_; }
    // SQLite's answer.
    int run(const std::string& sql) const {
        return sqlite3_exec(connection_, sql.c_str(), nullptr, nullptr, nullptr);
    }
    // The rows, columns joined by '|', rows by newlines; "error N" when there is one.
    std::string ask(const std::string& sql) const {
        sqlite3_stmt* statement = nullptr;
        int result = sqlite3_prepare_v2(connection_, sql.c_str(), -1, &statement, nullptr);
        std::string text;
        while (result == SQLITE_OK || result == SQLITE_ROW) {
            result = sqlite3_step(statement);
            if (result != SQLITE_ROW) break;
            if (!text.empty()) text += '\n';
            for (int i = 0; i < sqlite3_column_count(statement); ++i) {
                if (i > 0) text += '|';
                const auto* column = sqlite3_column_text(statement, i);
                text += column == nullptr ? "" : reinterpret_cast<const char*>(column);
            }
        }
        if (result != SQLITE_DONE)
            text = fmt::format("error {}", sqlite3_extended_errcode(connection_));
        sqlite3_finalize(statement);
        return text;
    }

private:
    sqlite3* connection_ = nullptr;
    int result_ = SQLITE_OK;
};

SqliteVfsOptions small_steps() {
    return {.wal_step_bytes = 64 * kKiB, .on_error = {}};
}

// Readies a writer; false when power was cut meanwhile.
bool ready(const Connection& connection, const std::string& synchronous = "FULL") {
    return connection.opened() == SQLITE_OK && prepare_sqlite_connection(connection.get()).ok() &&
           connection.run("PRAGMA journal_mode=WAL; PRAGMA synchronous=" + synchronous) ==
               SQLITE_OK &&
           connection.ask("PRAGMA journal_mode") == "wal";
}

constexpr const char* kMakeTable =
    "CREATE TABLE IF NOT EXISTS t(txn INTEGER, n INTEGER, body BLOB, PRIMARY KEY(txn, n))";

// One transaction of four rows over several pages.
int commit(const Connection& connection, int txn) {
    std::string sql = "BEGIN;";
    for (int n = 0; n < 4; ++n) {
        sql += fmt::format("INSERT INTO t VALUES({}, {}, randomblob(1500));", txn, n);
    }
    const int result = connection.run(sql + "COMMIT");
    if (result != SQLITE_OK) (void)connection.run("ROLLBACK");
    return result;
}

// How many transactions are there: all of the first ones, whole; else -1.
int whole_transactions(const Connection& connection) {
    if (connection.ask("PRAGMA integrity_check") != "ok") return -1;
    const std::string rows = connection.ask("SELECT count(*) FROM t");
    const std::string txns = connection.ask("SELECT count(DISTINCT txn) FROM t");
    const std::string last = connection.ask("SELECT coalesce(max(txn), -1) + 1 FROM t");
    if (txns != last) return -1;
    const int count = std::atoi(txns.c_str());
    return rows == std::to_string(count * 4) ? count : -1;
}

struct Series {
    int commits = 8;
    std::string synchronous = "FULL";
    int sync_every = 0;  // so often sync_wal
    bool make_table = true;
};

// Commits until an error; returns how many are acknowledged as durable, or -1 when not even the
// table is.
int commit_series(const SimDisk&, SqliteVfs& vfs, const Series& series) {
    const Connection writer;
    if (!ready(writer, series.synchronous)) return -1;
    // A few pages only: the series goes through checkpoints and restarts of the WAL.
    if (writer.run("PRAGMA wal_autocheckpoint=12") != SQLITE_OK) return -1;
    if (series.make_table && writer.run(kMakeTable) != SQLITE_OK) return -1;
    int durable = series.synchronous == "FULL" ? 0 : -1;
    for (int txn = 0; txn < series.commits; ++txn) {
        if (commit(writer, txn) != SQLITE_OK) break;
        if (series.synchronous == "FULL") durable = txn + 1;
        if (series.sync_every == 0 || (txn + 1) % series.sync_every != 0) continue;
        if (!vfs.sync_wal(kPath).ok()) break;
        durable = txn + 1;
    }
    return durable;
}

// Cuts power at every operation of a series of commits and looks at what is left.
void check_every_crash(const Series& series, std::uint64_t seeds) {
    for (std::uint64_t seed = 0; seed < seeds; ++seed) {
        bool cut = true;
        for (std::uint64_t crash_at = 0; cut; ++crash_at) {
            CAPTURE(seed);
            CAPTURE(crash_at);
            SimWorld world(tests::test_seed() + seed * 1000 + crash_at);
            SimDisk& disk = world.add_disk("d");
            world.cut_power_after(crash_at);
            int durable = 0;
            {
                SqliteVfs vfs(disk, kVfs, small_steps());
                durable = commit_series(disk, vfs, series);
            }
            cut = world.power_was_cut();
            world.power_cycle();
            SqliteVfs vfs(disk, kVfs, small_steps());
            const Connection again;
            REQUIRE(ready(again));
            if (durable < 0) REQUIRE(again.run(kMakeTable) == SQLITE_OK);
            const int found = whole_transactions(again);
            REQUIRE(found >= std::max(durable, 0));
            REQUIRE(found <= series.commits);
            // And it can be written again.
            REQUIRE(commit(again, found) == SQLITE_OK);
            REQUIRE(whole_transactions(again) == found + 1);
        }
    }
}

}  // namespace

TEST_CASE("rows can be written and read through WAL, and are there when opened again") {
    SimWorld world(1);
    SimDisk& disk = world.add_disk("d");
    SqliteVfs vfs(disk, kVfs);
    {
        const Connection writer;
        REQUIRE(ready(writer));
        REQUIRE(writer.run(kMakeTable) == SQLITE_OK);
        REQUIRE(commit(writer, 0) == SQLITE_OK);
        CHECK(writer.ask("PRAGMA page_size") == "4096");
    }
    const Connection reader(SQLITE_OPEN_READONLY);
    CHECK(whole_transactions(reader) == 1);
    CHECK(reader.run("DELETE FROM t") == SQLITE_READONLY);
    const std::string bytes = *disk.contents(kPath);
    CHECK(bytes[20] == 16);
    CHECK(bytes.size() % kSqlitePageBytes == 0);
}

TEST_CASE("commits with synchronous=FULL survive power cuts at every operation") {
    check_every_crash({.commits = 8}, 3);
}

TEST_CASE("commits with synchronous=NORMAL leave a prefix, and all up to the last sync_wal") {
    check_every_crash({.commits = 12, .synchronous = "NORMAL", .sync_every = 3}, 3);
}

TEST_CASE("a commit syncs the WAL once and changes neither its size nor a name") {
    SimWorld world(1);
    SimDisk& disk = world.add_disk("d");
    SqliteVfs vfs(disk, kVfs, small_steps());
    const Connection writer;
    REQUIRE(ready(writer));
    REQUIRE(writer.run(kMakeTable) == SQLITE_OK);
    REQUIRE(commit(writer, 0) == SQLITE_OK);
    const auto size = disk.contents(kWal)->size();
    CHECK(size == 64 * kKiB);
    const auto syncs = disk.count(SimOperation::sync);
    const auto wal_syncs = vfs.counts().wal_syncs.load();
    const auto names = disk.count(SimOperation::sync_dir);
    REQUIRE(writer.run("UPDATE t SET n = n + 10 WHERE txn = 0") == SQLITE_OK);
    CHECK(disk.count(SimOperation::sync) == syncs + 1);
    CHECK(vfs.counts().wal_syncs == wal_syncs + 1);
    CHECK(disk.count(SimOperation::sync_dir) == names);
    CHECK(disk.contents(kWal)->size() == size);
}

TEST_CASE("the frames of a commit go to the WAL in one write") {
    SimWorld world(1);
    SimDisk& disk = world.add_disk("d");
    SqliteVfs vfs(disk, kVfs, small_steps());
    const Connection writer;
    REQUIRE(ready(writer, "NORMAL"));
    REQUIRE(writer.run(kMakeTable) == SQLITE_OK);
    REQUIRE(commit(writer, 0) == SQLITE_OK);
    const auto writes = vfs.counts().wal_writes.load();
    const auto before = disk.contents(kWal);
    REQUIRE(commit(writer, 1) == SQLITE_OK);
    // Without a sync they are on their file all the same: what ends the process costs nothing.
    CHECK(disk.contents(kWal) != before);
    CHECK(vfs.counts().wal_writes == writes + 1);
    // With one, the frame that reaches beyond the last sector of the commit ends after the sync.
    REQUIRE(writer.run("PRAGMA synchronous=FULL") == SQLITE_OK);
    REQUIRE(commit(writer, 2) == SQLITE_OK);
    CHECK(vfs.counts().wal_writes <= writes + 3);
}

TEST_CASE("the WAL is never cut or deleted, not by limits, truncating checkpoints or closing") {
    SimWorld world(1);
    SimDisk& disk = world.add_disk("d");
    SqliteVfs vfs(disk, kVfs, small_steps());
    std::size_t size = 0;
    {
        const Connection writer;
        REQUIRE(ready(writer));
        REQUIRE(writer.run("PRAGMA journal_size_limit=4096") == SQLITE_OK);
        REQUIRE(writer.run(kMakeTable) == SQLITE_OK);
        for (int txn = 0; txn < 20; ++txn) REQUIRE(commit(writer, txn) == SQLITE_OK);
        size = disk.contents(kWal)->size();
        CHECK(size > 64 * kKiB);
        CHECK(writer.ask("PRAGMA wal_checkpoint(TRUNCATE)").starts_with("0|"));
        CHECK(disk.contents(kWal)->size() == size);
        REQUIRE(commit(writer, 20) == SQLITE_OK);
    }
    CHECK(disk.contents(kWal)->size() == size);
    const Connection again;
    CHECK(whole_transactions(again) == 21);
}

TEST_CASE("two readers and a writer see whole transactions only, on a real directory") {
    std::string directory = std::filesystem::temp_directory_path() / "ashlar-vfs-XXXXXX";
    REQUIRE(mkdtemp(directory.data()) != nullptr);
    {
        const auto disk = LocalDisk::open(directory).value();
        SqliteVfs vfs(*disk, kVfs, small_steps());
        const Connection writer;
        REQUIRE(ready(writer, "NORMAL"));
        REQUIRE(writer.run(kMakeTable) == SQLITE_OK);
        REQUIRE(writer.run("PRAGMA wal_autocheckpoint=20") == SQLITE_OK);
        std::atomic<bool> done = false;
        std::atomic<int> bad = 0;
        std::atomic<int> looks = 0;
        std::vector<std::thread> readers;
        for (int i = 0; i < 2; ++i) {
            readers.emplace_back([&] {
                const Connection reader(SQLITE_OPEN_READONLY);
                int last = 0;
                while (!done || looks < 10) {
                    const std::string rows = reader.ask("SELECT count(*) FROM t");
                    const int count = std::atoi(rows.c_str());
                    if (rows.starts_with("error") || count % 4 != 0 || count < last) ++bad;
                    last = count;
                    ++looks;
                }
            });
        }
        for (int txn = 0; txn < 300; ++txn) {
            if (commit(writer, txn) != SQLITE_OK) ++bad;
        }
        done = true;
        for (std::thread& reader : readers) reader.join();
        CHECK(bad == 0);
        CHECK(whole_transactions(writer) == 300);
    }
    std::filesystem::remove_all(directory);
}

TEST_CASE("a rotten page is an error, told with its number, and never read as data") {
    SimWorld world(1);
    SimDisk& disk = world.add_disk("d");
    Guarded<std::vector<std::string>> errors;
    SqliteVfs vfs(
        disk, kVfs, {.wal_step_bytes = 64 * kKiB, .on_error = [&](const Status& status) {
                         errors.with([&](auto& all) { all.emplace_back(status.message()); });
                     }});
    {
        const Connection writer;
        REQUIRE(ready(writer));
        REQUIRE(writer.run(kMakeTable) == SQLITE_OK);
        for (int txn = 0; txn < 10; ++txn) REQUIRE(commit(writer, txn) == SQLITE_OK);
        REQUIRE(writer.ask("PRAGMA wal_checkpoint(TRUNCATE)").starts_with("0|"));
    }
    // The WAL still holds the pages and would answer for them.
    REQUIRE(disk.remove(kWal).ok());
    disk.corrupt(kPath, 3 * kSqlitePageBytes + 1000, 1);
    const Connection reader;
    CHECK(reader.ask("SELECT sum(length(body)) FROM t") ==
          fmt::format("error {}", SQLITE_IOERR_DATA));
    errors.with([](const auto& all) {
        REQUIRE(all.size() == 1);
        CHECK(all.front() == "d/t.db: page 4 is corrupt");
    });
}

TEST_CASE("a page that was written in the place of another is an error") {
    SimWorld world(1);
    SimDisk& disk = world.add_disk("d");
    SqliteVfs vfs(disk, kVfs, small_steps());
    {
        const Connection writer;
        REQUIRE(ready(writer));
        REQUIRE(writer.run(kMakeTable) == SQLITE_OK);
        for (int txn = 0; txn < 10; ++txn) REQUIRE(commit(writer, txn) == SQLITE_OK);
        REQUIRE(writer.ask("PRAGMA wal_checkpoint(TRUNCATE)").starts_with("0|"));
    }
    REQUIRE(disk.remove(kWal).ok());
    disk.misplace(kPath,
                  {.from = 5 * kSqlitePageBytes, .to = 6 * kSqlitePageBytes, .length = 4096});
    const Connection reader;
    CHECK(reader.ask("SELECT sum(length(body)) FROM t") ==
          fmt::format("error {}", SQLITE_IOERR_DATA));
}

TEST_CASE("after a failed sync the file is not synced again until it is opened again") {
    SimWorld world(5);
    SimDisk& disk = world.add_disk("d");
    SqliteVfs vfs(disk, kVfs, small_steps());
    {
        const Connection writer;
        REQUIRE(ready(writer));
        REQUIRE(writer.run(kMakeTable) == SQLITE_OK);
        REQUIRE(commit(writer, 0) == SQLITE_OK);
        disk.fail({.operation = SimOperation::sync, .path = kWal});
        CHECK(commit(writer, 1) == SQLITE_IOERR_FSYNC);
        const auto syncs = disk.count(SimOperation::sync);
        CHECK(commit(writer, 1) == SQLITE_IOERR_FSYNC);
        CHECK(vfs.sync_wal(kPath).why() == Why::outcome_unknown);
        CHECK(disk.count(SimOperation::sync) == syncs);
        CHECK(whole_transactions(writer) == 1);
    }
    {
        const Connection writer;
        REQUIRE(ready(writer));
        const int found = whole_transactions(writer);
        CHECK((found == 1 || found == 2));
        REQUIRE(commit(writer, found) == SQLITE_OK);
    }
    world.power_cycle();
    const Connection reader;
    CHECK(whole_transactions(reader) >= 2);
}

TEST_CASE("a writer that opens again after a failed sync goes on beside readers that stay") {
    for (std::uint64_t seed = 0; seed < 30; ++seed) {
        CAPTURE(seed);
        SimWorld world(seed);
        SimDisk& disk = world.add_disk("d");
        SqliteVfs vfs(disk, kVfs, small_steps());
        {
            auto writer = std::make_unique<Connection>();
            REQUIRE(ready(*writer));
            REQUIRE(writer->run(kMakeTable) == SQLITE_OK);
            REQUIRE(commit(*writer, 0) == SQLITE_OK);
            const Connection reader(SQLITE_OPEN_READONLY);
            REQUIRE(whole_transactions(reader) == 1);
            disk.fail({.operation = SimOperation::sync, .path = kWal});
            REQUIRE(commit(*writer, 1) == SQLITE_IOERR_FSYNC);
            writer = std::make_unique<Connection>();
            REQUIRE(ready(*writer));
            REQUIRE(commit(*writer, 1) == SQLITE_OK);
            REQUIRE(whole_transactions(reader) == 2);
        }
        world.power_cycle();
        const Connection again;
        REQUIRE(whole_transactions(again) == 2);
    }
}

TEST_CASE("what a failed sync left in doubt is made durable when the WAL is opened again") {
    for (std::uint64_t seed = 0; seed < 30; ++seed) {
        CAPTURE(seed);
        SimWorld world(seed);
        SimDisk& disk = world.add_disk("d");
        SqliteVfs vfs(disk, kVfs, small_steps());
        {
            const Connection writer;
            REQUIRE(ready(writer, "NORMAL"));
            REQUIRE(writer.run(kMakeTable) == SQLITE_OK);
            for (int txn = 0; txn < 3; ++txn) REQUIRE(commit(writer, txn) == SQLITE_OK);
            disk.fail({.operation = SimOperation::sync, .path = kWal});
            REQUIRE(vfs.sync_wal(kPath).code() == Code::io_error);
        }
        int found = 0;
        {
            const Connection writer;
            REQUIRE(ready(writer));
            found = whole_transactions(writer);
            REQUIRE(commit(writer, found) == SQLITE_OK);
        }
        world.power_cycle();
        const Connection again;
        // Transactions before the acknowledged one must be there too.
        REQUIRE(whole_transactions(again) == found + 1);
    }
}

TEST_CASE("when a failed sync has lost committed frames, all connections must leave") {
    SimWorld world(1);
    SimDisk& disk = world.add_disk("d");
    SqliteVfs vfs(disk, kVfs, small_steps());
    auto writer = std::make_unique<Connection>();
    REQUIRE(ready(*writer, "NORMAL"));
    REQUIRE(writer->run(kMakeTable) == SQLITE_OK);
    REQUIRE(commit(*writer, 0) == SQLITE_OK);
    auto reader = std::make_unique<Connection>(SQLITE_OPEN_READONLY);
    REQUIRE(whole_transactions(*reader) == 1);
    disk.fail({.operation = SimOperation::sync, .path = kWal});
    REQUIRE(!vfs.sync_wal(kPath).ok());
    // The kernel has forgotten the page and reads what is on the disk.
    disk.corrupt(kWal, 6000, 100);
    writer = std::make_unique<Connection>();
    CHECK(!ready(*writer));
    CHECK(reader->ask("SELECT count(*) FROM t") == fmt::format("error {}", SQLITE_IOERR_SHMLOCK));
    writer.reset();
    reader.reset();
    const Connection again;
    REQUIRE(ready(again));
    CHECK(again.ask("PRAGMA integrity_check") == "ok");
}

TEST_CASE("a rotten frame of the WAL is an error, for readers and for checkpoints") {
    SimWorld world(1);
    SimDisk& disk = world.add_disk("d");
    SqliteVfs vfs(disk, kVfs, small_steps());
    const Connection writer;
    REQUIRE(ready(writer));
    REQUIRE(writer.run("PRAGMA wal_autocheckpoint=0") == SQLITE_OK);
    REQUIRE(writer.run(kMakeTable) == SQLITE_OK);
    for (int txn = 0; txn < 5; ++txn) REQUIRE(commit(writer, txn) == SQLITE_OK);
    const Connection before(SQLITE_OPEN_READONLY);
    REQUIRE(whole_transactions(before) == 5);
    // Somewhere in the last frames.
    disk.corrupt(kWal, 32 + 10 * 4120 + 2000, 8000);
    const Connection reader(SQLITE_OPEN_READONLY);
    const std::string wrong = fmt::format("error {}", SQLITE_IOERR_DATA);
    CHECK(reader.ask("SELECT sum(length(body)) FROM t") == wrong);
    CHECK(writer.run("PRAGMA wal_checkpoint(PASSIVE)") == SQLITE_IOERR_DATA);
}

TEST_CASE("a transaction larger than the cache reads back what it has spilled into the WAL") {
    SimWorld world(1);
    SqliteVfs vfs(world.add_disk("d"), kVfs, small_steps());
    const Connection writer;
    REQUIRE(ready(writer));
    REQUIRE(writer.run(kMakeTable) == SQLITE_OK);
    REQUIRE(commit(writer, 0) == SQLITE_OK);
    REQUIRE(writer.run("PRAGMA cache_size=3; BEGIN") == SQLITE_OK);
    for (int round = 0; round < 3; ++round) {
        // Overwrites its own frames, whose checksums are wrong until it commits.
        for (int i = 0; i < 100; ++i) {
            REQUIRE(writer.run(fmt::format("REPLACE INTO t VALUES(1000, {}, randomblob(1800))",
                                           i)) == SQLITE_OK);
        }
        REQUIRE(writer.ask("SELECT count(*) FROM t") == "104");
    }
    REQUIRE(writer.run("COMMIT") == SQLITE_OK);
    CHECK(writer.ask("PRAGMA integrity_check") == "ok");
    const Connection reader(SQLITE_OPEN_READONLY);
    CHECK(reader.ask("SELECT sum(length(body)) FROM t") == std::to_string(100 * 1800 + 4 * 1500));
}

TEST_CASE("pages of checkpoints that never finished are copied again after a failed sync") {
    for (std::uint64_t seed = 0; seed < 30; ++seed) {
        CAPTURE(seed);
        SimWorld world(seed);
        SimDisk& disk = world.add_disk("d");
        SqliteVfs vfs(disk, kVfs, small_steps());
        {
            auto writer = std::make_unique<Connection>();
            REQUIRE(ready(*writer));
            REQUIRE(writer->run("PRAGMA wal_autocheckpoint=0") == SQLITE_OK);
            REQUIRE(writer->run(kMakeTable) == SQLITE_OK);
            for (int txn = 0; txn < 5; ++txn) REQUIRE(commit(*writer, txn) == SQLITE_OK);
            const Connection reader(SQLITE_OPEN_READONLY);
            REQUIRE(reader.run("BEGIN; SELECT count(*) FROM t") == SQLITE_OK);
            for (int txn = 5; txn < 8; ++txn) REQUIRE(commit(*writer, txn) == SQLITE_OK);
            // The reader keeps it from copying the last frames, so it does not sync the database.
            const auto syncs = disk.count(SimOperation::sync);
            REQUIRE(writer->ask("PRAGMA wal_checkpoint(PASSIVE)").starts_with("0|"));
            REQUIRE(disk.count(SimOperation::sync) == syncs + 1);
            REQUIRE(reader.run("COMMIT") == SQLITE_OK);
            disk.fail({.operation = SimOperation::sync, .after = 1, .path = kPath});
            REQUIRE(writer->run("PRAGMA wal_checkpoint(PASSIVE)") != SQLITE_OK);
            writer = std::make_unique<Connection>();
            REQUIRE(ready(*writer));
            REQUIRE(writer->ask("PRAGMA wal_checkpoint(PASSIVE)").starts_with("0|"));
            REQUIRE(commit(*writer, 8) == SQLITE_OK);
            REQUIRE(whole_transactions(reader) == 9);
        }
        world.power_cycle();
        const Connection again;
        REQUIRE(whole_transactions(again) == 9);
    }
}

TEST_CASE("a full disk fails the commit and nothing else") {
    SimWorld world(1);
    SimDisk& disk = world.add_disk("d");
    SqliteVfs vfs(disk, kVfs, small_steps());
    const Connection writer;
    REQUIRE(ready(writer));
    REQUIRE(writer.run(kMakeTable) == SQLITE_OK);
    disk.set_capacity(256 * kKiB);
    int txn = 0;
    while (txn < 1000 && commit(writer, txn) == SQLITE_OK) ++txn;
    CHECK(txn < 1000);
    CHECK(whole_transactions(writer) == txn);
    disk.set_capacity(10 * kMiB);
    CHECK(commit(writer, txn) == SQLITE_OK);
    CHECK(whole_transactions(writer) == txn + 1);
}

TEST_CASE("a database made without reserve bytes is refused") {
    SimWorld world(1);
    SimDisk& disk = world.add_disk("d");
    SqliteVfs vfs(disk, kVfs, small_steps());
    const Connection writer;
    REQUIRE(writer.opened() == SQLITE_OK);
    CHECK(writer.run(kMakeTable) != SQLITE_OK);
}

TEST_CASE("syncing the WAL of a database that is not open is not found") {
    SimWorld world(1);
    SqliteVfs vfs(world.add_disk("d"), kVfs);
    CHECK(vfs.sync_wal(kPath).code() == Code::not_found);
}

TEST_CASE("temporary tables and large sorts work") {
    SimWorld world(1);
    SqliteVfs vfs(world.add_disk("d"), kVfs, small_steps());
    const Connection writer;
    REQUIRE(ready(writer));
    REQUIRE(writer.run("PRAGMA cache_size=10; PRAGMA temp_store=FILE;"
                       "CREATE TEMP TABLE big AS WITH RECURSIVE c(n) AS "
                       "(SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 5000) "
                       "SELECT n, hex(randomblob(100)) AS text FROM c") == SQLITE_OK);
    CHECK(writer.ask("SELECT count(*) FROM (SELECT text FROM big ORDER BY text)") == "5000");
}

TEST_CASE("a statement that fails in a large transaction is undone alone") {
    SimWorld world(1);
    SqliteVfs vfs(world.add_disk("d"), kVfs, small_steps());
    const Connection writer;
    REQUIRE(ready(writer));
    REQUIRE(writer.run(kMakeTable) == SQLITE_OK);
    REQUIRE(writer.run("PRAGMA cache_size=5") == SQLITE_OK);
    std::string sql = "BEGIN; INSERT INTO t VALUES(1000000, 1, NULL); SAVEPOINT s;";
    for (int i = 0; i < 200; ++i)
        sql += fmt::format("INSERT INTO t VALUES({}, 0, randomblob(2000));", i);
    REQUIRE(writer.run(sql) == SQLITE_OK);
    CHECK(writer.run("UPDATE t SET txn = txn / 2") != SQLITE_OK);
    REQUIRE(writer.run("ROLLBACK TO s; COMMIT") == SQLITE_OK);
    CHECK(writer.ask("SELECT count(*) FROM t") == "1");
    CHECK(writer.ask("PRAGMA integrity_check") == "ok");
}

}  // namespace objstore
