#include "objstore/meta/connection.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include "objstore/meta/sqlite_vfs.h"

namespace objstore {

namespace {

constexpr int kBusyWaitMs = 5000;

}  // namespace

Result<std::unique_ptr<Connection>> Connection::open(const Options& options) {
    sqlite3* handle = nullptr;
    int mode = options.read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    if (options.create && !options.read_only) mode |= SQLITE_OPEN_CREATE;
    // No mutex of SQLite's: a connection has one thread at a time.
    const int rc = sqlite3_open_v2(options.path.c_str(),
                                   &handle,
                                   mode | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                                   options.vfs.c_str());
    if (handle == nullptr) return Status::io_error("sqlite: out of memory");
    std::unique_ptr<Connection> connection(new Connection(handle));
    if (rc != SQLITE_OK) return connection->error(rc, "open " + options.path);
    TRY(connection->configure(options));
    return connection;
}

Status Connection::configure(const Options& options) {
    sqlite3_busy_timeout(handle_, kBusyWaitMs);
    // The store checkpoints itself; one on close could hide a failed sync from recovery.
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    // Takes the place of SQLite's own hook, which would checkpoint within commits. So does
    // wal_autocheckpoint=0, which must therefore not be set after it.
    sqlite3_wal_hook(handle_, &Connection::on_commit, this);
    if (!options.read_only) TRY(prepare_sqlite_connection(handle_));
    return execute(fmt::format(
        "PRAGMA cache_size=-{};PRAGMA mmap_size=0;PRAGMA foreign_keys=OFF;PRAGMA temp_store=MEMORY;"
        "PRAGMA trusted_schema=OFF;PRAGMA secure_delete=OFF",
        options.cache_kib));
}

Connection::~Connection() {
    for (sqlite3_stmt* statement : statements_) sqlite3_finalize(statement);
    const int rc = sqlite3_close(handle_);
    ASSERT(rc == SQLITE_OK);
}

int Connection::on_commit(void* self, sqlite3* handle, const char* name, int pages) {
    (void)handle;
    (void)name;
    static_cast<Connection*>(self)->wal_pages_ = pages;
    return SQLITE_OK;
}

Status Connection::execute(const std::string& sql) {
    const int rc = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
    return rc == SQLITE_OK ? Status() : error(rc, sql);
}

Result<std::int64_t> Connection::number(const std::string& sql) {
    sqlite3_stmt* statement = nullptr;
    int rc = sqlite3_prepare_v2(handle_, sql.c_str(), -1, &statement, nullptr);
    std::int64_t value = 0;
    if (rc == SQLITE_OK) {
        rc = sqlite3_step(statement);
        if (rc == SQLITE_ROW) value = sqlite3_column_int64(statement, 0);
    }
    Status status = rc == SQLITE_ROW ? Status() : error(rc, sql);
    sqlite3_finalize(statement);
    if (!status.ok()) return status;
    return value;
}

Status Connection::error(int rc, std::string_view what) const {
    std::string message = fmt::format("sqlite: {}: {} ({})", what, sqlite3_errmsg(handle_), rc);
    switch (rc & 0xff) {
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return Status::corruption(std::move(message));
        case SQLITE_IOERR:
            if (rc == SQLITE_IOERR_DATA) return Status::corruption(std::move(message));
            return Status::io_error(std::move(message));
        case SQLITE_FULL:
            return Status::no_space(std::move(message));
        case SQLITE_READONLY:
            return Status::unavailable(std::move(message), Why::read_only);
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return Status::unavailable(std::move(message), Why::busy);
        default:
            return Status::io_error(std::move(message));
    }
}

int Connection::changed_rows() const {
    return sqlite3_changes(handle_);
}

bool Connection::in_transaction() const {
    return sqlite3_get_autocommit(handle_) == 0;
}

void Connection::note(int rc) {
    const bool reading =
        rc == SQLITE_IOERR_READ || rc == SQLITE_IOERR_SHORT_READ || rc == SQLITE_IOERR_DATA;
    if (((rc & 0xff) == SQLITE_IOERR && !reading) || rc == SQLITE_READONLY) broken_ = true;
}

Result<Connection::Checkpoint> Connection::checkpoint(bool restart) {
    Checkpoint done;
    const int mode = restart ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE;
    const int rc =
        sqlite3_wal_checkpoint_v2(handle_, "main", mode, &done.wal_pages, &done.done_pages);
    if (rc != SQLITE_OK) return error(rc, "checkpoint");
    return done;
}

sqlite3_stmt* Connection::prepared(Sql sql, int& rc) {
    sqlite3_stmt*& statement = statements_.at(static_cast<std::size_t>(sql));
    rc = SQLITE_OK;
    if (statement == nullptr) {
        rc = sqlite3_prepare_v3(
            handle_, text_of(sql), -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    }
    return statement;
}

Cursor::Cursor(Connection& connection, Sql sql)
    : connection_(connection), statement_(connection.prepared(sql, rc_)), sql_(sql) {
    if (statement_ != nullptr) ASSERT(sqlite3_stmt_busy(statement_) == 0);
}

Cursor::~Cursor() {
    if (statement_ == nullptr) return;
    sqlite3_reset(statement_);
    // What was bound may be gone by the next use.
    if (position_ > 0) sqlite3_clear_bindings(statement_);
}

Cursor& Cursor::bind_signed(std::int64_t value) {
    if (statement_ != nullptr) check(sqlite3_bind_int64(statement_, ++position_, value));
    return *this;
}

Cursor& Cursor::bind(std::uint64_t value) {
    return bind_signed(static_cast<std::int64_t>(value));
}

Cursor& Cursor::bind(std::string_view blob) {
    if (statement_ == nullptr) return *this;
    // A null pointer would bind NULL.
    const char* data = blob.empty() ? "" : blob.data();
    check(sqlite3_bind_blob64(statement_, ++position_, data, blob.size(), SQLITE_STATIC));
    return *this;
}

Cursor& Cursor::bind_null() {
    if (statement_ != nullptr) check(sqlite3_bind_null(statement_, ++position_));
    return *this;
}

Result<bool> Cursor::next() {
    if (rc_ == SQLITE_OK && statement_ != nullptr) {
        const int rc = sqlite3_step(statement_);
        if (rc == SQLITE_ROW) return true;
        if (rc == SQLITE_DONE) return false;
        rc_ = rc;
        connection_.note(rc);
    }
    return connection_.error(rc_, text_of(sql_));
}

Status Cursor::run() {
    for (;;) {
        TRY_ASSIGN(const bool more, next());
        if (!more) return {};
    }
}

std::uint64_t Cursor::number(int column) const {
    return static_cast<std::uint64_t>(signed_number(column));
}

std::int64_t Cursor::signed_number(int column) const {
    return sqlite3_column_int64(statement_, column);
}

std::string_view Cursor::blob(int column) const {
    const void* data = sqlite3_column_blob(statement_, column);
    if (data == nullptr) return {};
    return {static_cast<const char*>(data),
            static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

bool Cursor::is_null(int column) const {
    return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

}  // namespace objstore
