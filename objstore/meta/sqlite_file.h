#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "objstore/base/guarded.h"
#include "objstore/disk/disk.h"
#include "objstore/meta/sqlite_locks.h"
#include "objstore/meta/sqlite_vfs.h"

namespace objstore {

enum class SqliteFileKind : unsigned char { database, wal, journal };

// What all files of one VFS use.
struct SqliteFileContext {
    Disk& disk;
    const SqliteVfsOptions options;
    SqliteVfsCounts counts;
    // Paths whose last sync failed: what the file shows may not be on the disk.
    Guarded<std::set<std::string>> unsynced;

    // Tells the listener and gives the status back.
    Status report(Status status) const;
};

// One opening of a file on the disk, used by all connections that opened it since.
struct SqliteOpening {
    std::unique_ptr<File> file;
    std::atomic<bool> sync_failed{false};
    // Of a WAL: where the bytes end that were ever written. One thread writes at a time.
    std::atomic<std::uint64_t> end{0};
};

// One path that connections have open: its locks, its current opening, and the operations that the
// callbacks of the VFS translate. The rules of durability are here. Threads: any.
class SqliteFile final {
public:
    // `database` is that of a WAL. Shared: the WAL's index is there.
    SqliteFile(SqliteFileContext& context,
               std::string path,
               SqliteFileKind kind,
               std::shared_ptr<SqliteFile> database);

    const std::string& path() const { return path_; }
    SqliteFileKind kind() const { return kind_; }
    SqliteLocks& locks() { return locks_; }

    // The current opening, or a new one when there is none or its sync has failed. Shared: reads
    // through an older opening go on while a newer one is in use.
    Result<std::shared_ptr<SqliteOpening>> open(OpenMode mode);
    // The opening in use, if any.
    std::shared_ptr<SqliteOpening> current() const;

    // Reads what there is, zeros past the end; returns the bytes that were there. corruption: a
    // whole page of a database, or of a committed frame, was read and is not what was written.
    Result<std::size_t> read(const SqliteOpening& opening,
                             std::uint64_t offset,
                             MutableBytes out) const;
    Status write(SqliteOpening& opening, std::uint64_t offset, Bytes bytes);
    // Makes bytes and name durable. After a failure the opening takes no more writes and syncs.
    Status sync(SqliteOpening& opening);
    Status truncate(SqliteOpening& opening, std::uint64_t size_bytes);

private:
    Status check_usable(const SqliteOpening& opening) const;
    Status write_page(SqliteOpening& opening, std::uint64_t offset, Bytes page);
    Status fill_ahead(SqliteOpening& opening, std::uint64_t end);
    Status check_page(const SqliteOpening& opening, std::uint64_t offset, Bytes page) const;
    Status restore_wal(File& file) const;
    Status sync_name();

    SqliteFileContext& context_;
    const std::string path_;
    const SqliteFileKind kind_;
    const std::shared_ptr<SqliteFile> database_;
    SqliteLocks locks_;
    std::mutex opening_mutex_;  // held while the disk opens the file, so that one opening is made
    Guarded<std::shared_ptr<SqliteOpening>> current_;
    std::atomic<bool> name_is_durable_{false};
};

}  // namespace objstore
