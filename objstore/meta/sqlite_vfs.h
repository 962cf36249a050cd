#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "objstore/base/bytes.h"
#include "objstore/base/status.h"
#include "objstore/disk/disk.h"

struct sqlite3;

namespace objstore {

inline constexpr std::uint32_t kSqlitePageBytes = 4096;
// At the end of each page of a database file: CRC32C of the bytes before with page number and
// sequence mixed in (u32: the CRC of the four bytes of the one and the eight of the other is the
// seed), the page number (u32), the sequence (u64).
inline constexpr std::uint32_t kSqliteReserveBytes = 16;

struct SqliteVfsOptions {
    // The WAL grows in steps of so many zeros. A multiple of 4,096.
    std::uint64_t wal_step_bytes = 4 * kMiB;
    // Hears of every failed operation, as SQLite tells its callers no more than "disk I/O error".
    // Called from any thread, with no lock held; must not call SQLite.
    std::function<void(const Status&)> on_error;
    // The sequence for the pages of a database that are written now: never less than before, also
    // not after a restart, and more after every commit. None: 0. Called from any thread.
    std::function<std::uint64_t()> sequence;
};

// What went to the disk, for tests and metrics.
struct SqliteVfsCounts {
    std::atomic<std::uint64_t> reads{0};
    std::atomic<std::uint64_t> writes{0};
    std::atomic<std::uint64_t> syncs{0};
    std::atomic<std::uint64_t> wal_writes{0};
    std::atomic<std::uint64_t> wal_syncs{0};
    std::atomic<std::uint64_t> bytes_written{0};
};

// SQLite's files on a Disk. Open with sqlite3_open_v2(path on the disk, ..., name()).
//
// One process only: locks and the shared memory of the WAL are in this object. Other processes must
// be kept off the disk (LocalDisk::lock). Every page of a database and of the WAL's committed
// frames is checked against its checksum when it is read; a wrong one is SQLITE_IOERR_DATA.
// Durability: as SQLite promises for `synchronous`. The WAL is filled with zeros ahead and never
// cut or deleted while open, so that the sync of a commit changes no metadata of the file system.
// After a failed sync of a file, all who have it open get SQLITE_IOERR_FSYNC for each write and
// sync; they must close it and open it again, when the WAL is written once more. Reads go on.
// Should the WAL turn out to have lost committed frames by then, every transaction that begins gets
// SQLITE_IOERR_SHMLOCK or _SHMMAP until all connections to the database have been closed.
// Threads: any. The disk must outlive this, and this all connections.
class SqliteVfs final {
public:
    // `name` is unique in the process.
    SqliteVfs(Disk& disk, std::string name, SqliteVfsOptions options = {});
    ~SqliteVfs();
    SqliteVfs(const SqliteVfs&) = delete;
    SqliteVfs& operator=(const SqliteVfs&) = delete;

    const std::string& name() const;
    // Makes all commits in the WAL of the database at `path` durable: for those made with
    // synchronous=NORMAL. not_found: no connection has it open in WAL mode. After another error the
    // outcome of all commits since the last good sync is unknown and the writing connection must be
    // opened again.
    Status sync_wal(std::string_view path);
    const SqliteVfsCounts& counts() const;

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

// Sets page size and reserve bytes, which must be done on each connection that may make the first
// table, before it does. invalid_argument: the database has others.
Status prepare_sqlite_connection(sqlite3* connection);

}  // namespace objstore
