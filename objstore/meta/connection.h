#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "objstore/base/bytes.h"
#include "objstore/base/status.h"
#include "objstore/meta/statements.h"

struct sqlite3;
struct sqlite3_stmt;

namespace objstore {

// A connection to the database with its prepared statements. Closing it never checkpoints.
// Threads: one at a time.
class Connection final {
public:
    struct Options {
        std::string path;
        std::string vfs;  // SqliteVfs::name
        bool read_only = false;
        int cache_kib = 2048;
        bool create = true;  // an empty database when there is none
    };
    // A read-only one needs a writer that opened the database before.
    static Result<std::unique_ptr<Connection>> open(const Options& options);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    // Runs text that returns nothing of interest: pragmas, definitions.
    Status execute(const std::string& sql);
    // The one number a query or pragma answers.
    Result<std::int64_t> number(const std::string& sql);
    // The error of SQLite's result code `rc`, with the connection's last message.
    Status error(int rc, std::string_view what) const;

    // Rows changed by the last statement.
    int changed_rows() const;
    // Whether BEGIN holds. SQLite takes a whole transaction back when a statement of it, be it a
    // SELECT, meets an error of the disk; what runs after that commits by itself.
    bool in_transaction() const;
    // A write, a sync or a lock has failed, so that more may be wrong than what the statement asked
    // for: the connection is to be opened anew. Errors of reading do no harm.
    bool broken() const { return broken_; }

    struct Checkpoint {
        int wal_pages = 0;   // in the log
        int done_pages = 0;  // of those, in the database file too
    };
    // Copies what no reader hinders into the database file and syncs it. With `restart` waits for
    // readers and makes the next commit begin the log anew.
    Result<Checkpoint> checkpoint(bool restart);
    // Pages in the log as of the last commit of this connection.
    int wal_pages() const { return wal_pages_; }

private:
    friend class Cursor;
    explicit Connection(sqlite3* handle) : handle_(handle) {}
    // Keeps what the result code of a statement says of the connection.
    void note(int rc);
    static int on_commit(void* self, sqlite3* handle, const char* name, int pages);
    Status configure(const Options& options);
    // Null: `rc` says why.
    sqlite3_stmt* prepared(Sql sql, int& rc);

    sqlite3* const handle_;
    int wal_pages_ = 0;
    bool broken_ = false;
    std::array<sqlite3_stmt*, kSqlCount> statements_{};
};

// A statement that runs: bind its parameters in order, then `next` until false, or `run`. Reset on
// destruction. One at a time for each Sql of a connection. What was bound as text must stay until
// then.
class Cursor final {
public:
    Cursor(Connection& connection, Sql sql);
    ~Cursor();
    Cursor(const Cursor&) = delete;
    Cursor& operator=(const Cursor&) = delete;

    Cursor& bind(std::uint64_t value);  // as the signed number of the same bits
    Cursor& bind_signed(std::int64_t value);
    Cursor& bind(std::string_view blob);
    Cursor& bind_null();

    // Whether there is another row.
    Result<bool> next();
    // To its end.
    Status run();

    // Of the row, column from 0. Text is valid until the next call of `next`.
    std::uint64_t number(int column) const;
    std::int64_t signed_number(int column) const;
    std::string_view blob(int column) const;
    bool is_null(int column) const;

private:
    void check(int rc) {
        if (rc_ == 0) rc_ = rc;
    }

    Connection& connection_;
    sqlite3_stmt* statement_;
    const Sql sql_;
    int position_ = 0;
    int rc_ = 0;
};

}  // namespace objstore
