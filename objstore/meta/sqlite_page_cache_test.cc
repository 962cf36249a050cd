#include "objstore/meta/sqlite_page_cache.h"

#include <map>
#include <random>
#include <string>

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sqlite3.h>

#include "objstore/meta/sqlite_vfs.h"
#include "tests/sim/sim_disk.h"

namespace objstore {

namespace {

class Database final {
public:
    Database() {
        REQUIRE(sqlite3_open_v2("t.db", &connection_, kMode, "cache") == SQLITE_OK);
        REQUIRE(prepare_sqlite_connection(connection_).ok());
        run("PRAGMA journal_mode=WAL");
    }
    ~Database() { sqlite3_close(connection_); }
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    void run(const std::string& sql) {
        REQUIRE_MESSAGE(
            sqlite3_exec(connection_, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK, sql);
    }
    // Its rows, the columns joined.
    std::string ask(const std::string& sql) {
        std::string text;
        const auto add = [](void* out, int count, char** values, char**) {
            for (int i = 0; i < count; ++i) *static_cast<std::string*>(out) += values[i];
            return 0;
        };
        REQUIRE(sqlite3_exec(connection_, sql.c_str(), add, &text, nullptr) == SQLITE_OK);
        return text;
    }

private:
    static constexpr int kMode = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    sqlite3* connection_ = nullptr;
};

// Rows in no order split pages again and again; what is taken back leaves pages past the end.
TEST_CASE("a database that grows, is taken back and shrinks holds what it should") {
    tests::SimWorld world(1);
    tests::SimDisk disk(world, "a");
    const SqliteVfs vfs(disk, "cache");
    Database database;
    database.run("CREATE TABLE t(k INTEGER PRIMARY KEY, v BLOB)");
    std::mt19937_64 random(7);
    std::map<std::uint64_t, std::uint64_t> expected;
    for (int round = 0; round < 60; ++round) {
        CAPTURE(round);
        const bool keep = random() % 3 != 0;
        database.run("BEGIN");
        std::map<std::uint64_t, std::uint64_t> next = expected;
        for (int i = 0; i < 60; ++i) {
            const std::uint64_t key = random() % 5000;
            const std::uint64_t size = random() % 900;
            if (random() % 4 == 0) {
                database.run(fmt::format("DELETE FROM t WHERE k % 7 = {}", key % 7));
                std::erase_if(next, [&](const auto& row) { return row.first % 7 == key % 7; });
            } else {
                database.run(fmt::format("REPLACE INTO t VALUES({}, zeroblob({}))", key, size));
                next[key] = size;
            }
        }
        database.run(keep ? "COMMIT" : "ROLLBACK");
        if (keep) expected = next;
        if (round % 20 == 19) database.run("VACUUM");
        std::uint64_t sum = 0;
        for (const auto& [key, size] : expected) sum += key * 1000 + size;
        CHECK(database.ask(
                  "SELECT count(*) || ' ' || coalesce(sum(k * 1000 + length(v)), 0) FROM t") ==
              fmt::format("{} {}", expected.size(), sum));
        CHECK(database.ask("PRAGMA integrity_check") == "ok");
    }
}

TEST_CASE("it is SQLite's page cache wherever the namespace is") {
    tests::SimWorld world(1);
    tests::SimDisk disk(world, "a");
    const SqliteVfs vfs(disk, "cache");
    CHECK(use_sqlite_page_cache());
}

}  // namespace

}  // namespace objstore
