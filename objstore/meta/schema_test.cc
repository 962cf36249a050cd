#include "objstore/meta/schema.h"

#include <doctest/doctest.h>
#include <sqlite3.h>

#include "objstore/meta/row_reader.h"
#include "objstore/meta/sqlite_vfs.h"
#include "tests/sim/check_status.h"
#include "tests/sim/sim_disk.h"

namespace objstore {

namespace {

using tests::check_error;

struct Database {
    tests::SimWorld world{1};
    tests::SimDisk& disk = world.add_disk("d");
    SqliteVfs vfs{disk, "schema_test"};
    std::unique_ptr<Connection> connection = open();

    std::unique_ptr<Connection> open() {
        auto opened = Connection::open({"t.db", vfs.name(), false, 1024});
        REQUIRE(opened.ok());
        return std::move(opened).value();
    }
    std::int64_t number(const std::string& sql) const {
        const auto found = connection->number(sql);
        REQUIRE(found.ok());
        return *found;
    }
};

// An older program's tables.
Status make_format_0(Connection& connection) {
    return connection.execute(
        "CREATE TABLE file(id INTEGER PRIMARY KEY, size INTEGER);"
        "INSERT INTO file VALUES(7, 70), (8, 80);"
        "CREATE TABLE setting(name BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
        "INSERT INTO setting VALUES(CAST('format.read_only' AS BLOB), '0'),"
        " (CAST('format.incompatible' AS BLOB), '0');");
}
Status add_column(Connection& connection) {
    return connection.execute("ALTER TABLE file ADD COLUMN mode INTEGER NOT NULL DEFAULT 420");
}
Status double_sizes(Connection& connection) {
    return connection.execute("UPDATE file SET size = size * 2");
}
Status half_a_step(Connection& connection) {
    TRY(connection.execute("UPDATE file SET size = 0"));
    return Status::io_error("half way");
}

}  // namespace

TEST_CASE("a new namespace has its format, its root directory and nothing else") {
    Database db;
    REQUIRE(open_schema(*db.connection, {.now = 1'700'000'000, .deployment = "ab"}).ok());
    CHECK(db.number("PRAGMA user_version") == kSchemaFormat);
    CHECK(db.number("PRAGMA application_id") == kSchemaApplication);
    CHECK(db.number("PRAGMA page_size") == 4096);
    CHECK(db.number("SELECT count(*) FROM entry") == 0);
    const auto root = RowReader(*db.connection).inode(kRootInode);
    REQUIRE(root.ok());
    REQUIRE(*root != nullptr);
    CHECK((*root)->is_directory());
    CHECK((*root)->mode == 0755);
    CHECK((*root)->nlink == 2);
    CHECK((*root)->parent == 0);
    CHECK((*root)->btime == 1'700'000'000);
    const auto state = RowReader(*db.connection).state();
    REQUIRE(state.ok());
    CHECK(state->id_limit > kRootInode);
    CHECK(state->inodes == 1);
    // Again is no change.
    REQUIRE(open_schema(*db.connection, {.now = 5, .deployment = "ab"}).ok());
    CHECK((*RowReader(*db.connection).inode(kRootInode))->btime == 1'700'000'000);
}

TEST_CASE("a newer format is refused with a sentence that says what to do") {
    Database db;
    REQUIRE(open_schema(*db.connection, {}).ok());
    REQUIRE(db.connection->execute("PRAGMA user_version=9").ok());
    const Status status = open_schema(*db.connection, {});
    check_error(status, Code::unsupported);
    CHECK(status.message().find("format 9") != std::string_view::npos);
    CHECK(status.message().find("newer version") != std::string_view::npos);
}

TEST_CASE("a database of something else is refused") {
    Database db;
    REQUIRE(db.connection->execute("CREATE TABLE cats(name TEXT)").ok());
    check_error(open_schema(*db.connection, {}), Code::unsupported);
    CHECK(db.number("SELECT count(*) FROM sqlite_schema") == 1);
}

TEST_CASE("unknown features bar opening unless they are compatible") {
    Database db;
    REQUIRE(open_schema(*db.connection, {}).ok());
    const auto set = [&](const std::string& name, const std::string& value) {
        REQUIRE(db.connection
                    ->execute("UPDATE setting SET value = CAST('" + value +
                              "' AS BLOB) WHERE name = CAST('" + name + "' AS BLOB)")
                    .ok());
        return open_schema(*db.connection, {});
    };
    CHECK(set("format.compatible", "6").ok());
    check_error(set("format.read_only", "1"), Code::unsupported);
    CHECK(set("format.read_only", "0").ok());
    check_error(set("format.incompatible", "4"), Code::unsupported);
    check_error(set("format.incompatible", "4x"), Code::corruption);
}

TEST_CASE("migrations run in order from the format that is there") {
    Database db;
    REQUIRE(make_format_0(*db.connection).ok());
    const Migration path[] = {{0, add_column}, {1, double_sizes}, {2, double_sizes}};
    REQUIRE(migrate(*db.connection, path, 2).ok());
    CHECK(db.number("PRAGMA user_version") == 2);
    CHECK(db.number("SELECT sum(size) FROM file") == 300);
    CHECK(db.number("SELECT min(mode) FROM file") == 420);
    REQUIRE(migrate(*db.connection, path, 3).ok());
    CHECK(db.number("SELECT sum(size) FROM file") == 600);
}

TEST_CASE("a database that uses unknown features is not migrated") {
    Database db;
    REQUIRE(make_format_0(*db.connection).ok());
    REQUIRE(db.connection
                ->execute("UPDATE setting SET value = '4' WHERE CAST(name AS TEXT) LIKE '%incomp%'")
                .ok());
    const Migration path[] = {{0, double_sizes}};
    check_error(migrate(*db.connection, path, 1), Code::unsupported);
    CHECK(db.number("PRAGMA user_version") == 0);
    CHECK(db.number("SELECT sum(size) FROM file") == 150);
}

TEST_CASE("a namespace belongs to one deployment") {
    Database db;
    REQUIRE(open_schema(*db.connection, {.deployment = "ab"}).ok());
    CHECK(open_schema(*db.connection, {.deployment = "ab", .create = false}).ok());
    for (const char* other : {"", "ac", "abb"}) {
        const Status status = open_schema(*db.connection, {.deployment = other});
        check_error(status, Code::conflict);
        CHECK(status.message().find("deployment ab") != std::string_view::npos);
    }
}

TEST_CASE("no namespace is made where none is asked for") {
    Database db;
    check_error(open_schema(*db.connection, {.create = false}), Code::not_found);
    CHECK(db.number("SELECT count(*) FROM sqlite_schema") == 0);
    CHECK(Connection::open({.path = "u.db", .vfs = db.vfs.name(), .create = false}).code() !=
          Code::ok);
    CHECK(!db.disk.contents("u.db").has_value());
}

TEST_CASE("a migration that fails leaves the format before it") {
    Database db;
    REQUIRE(make_format_0(*db.connection).ok());
    const Migration path[] = {{0, add_column}, {1, half_a_step}};
    check_error(migrate(*db.connection, path, 2), Code::io_error);
    CHECK(db.number("PRAGMA user_version") == 1);
    CHECK(db.number("SELECT sum(size) FROM file") == 150);
}

TEST_CASE("a format from which no way leads on is refused") {
    Database db;
    REQUIRE(make_format_0(*db.connection).ok());
    const Migration path[] = {{1, double_sizes}};
    check_error(migrate(*db.connection, path, 2), Code::unsupported);
}

TEST_CASE("a crash at any point of making the namespace leaves none or a whole one") {
    for (std::uint64_t crash_at = 0, cut = 1; cut != 0; ++crash_at) {
        CAPTURE(crash_at);
        tests::SimWorld world(crash_at);
        tests::SimDisk& disk = world.add_disk("d");
        world.cut_power_after(crash_at);
        {
            SqliteVfs vfs(disk, "schema_crash");
            auto opened = Connection::open({"t.db", vfs.name(), false, 1024});
            if (opened.ok()) {
                const Status made = open_schema(**opened, {.now = 1});
                CHECK(made.ok() == !world.power_was_cut());
            }
        }
        cut = world.power_was_cut() ? 1 : 0;
        world.power_cycle();
        SqliteVfs vfs(disk, "schema_crash");
        auto opened = Connection::open({"t.db", vfs.name(), false, 1024});
        REQUIRE(opened.ok());
        REQUIRE(open_schema(**opened, {.now = 2}).ok());
        CHECK(*(*opened)->number("SELECT count(*) FROM inode") == 1);
    }
}

}  // namespace objstore
