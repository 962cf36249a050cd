#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

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

// What was written and is not on its file yet. SQLite hands over each frame of a WAL in two writes,
// and the pages of a checkpoint one by one; gathered, a commit is one write, and so is a run of
// pages.
class SqliteGathered final {
public:
    bool empty() const { return runs_.empty(); }
    std::size_t size_bytes() const { return bytes_.size(); }
    void add(std::uint64_t offset, Bytes bytes);
    bool touches(std::uint64_t offset, std::size_t size_bytes) const;
    // In the order in which they came; valid until the next change.
    std::vector<FileWrite> writes() const;
    void clear();

private:
    struct Run {
        std::uint64_t offset = 0;
        std::size_t begin = 0;  // in bytes_
        std::size_t size_bytes = 0;
        std::uint64_t end() const { return offset + size_bytes; }
    };
    std::vector<std::byte> bytes_;
    std::vector<Run> runs_;
};

// One opening of a file on the disk, used by all connections that opened it since.
struct SqliteOpening {
    std::unique_ptr<File> file;
    // No write or sync may follow: a sync has failed, or a write that SQLite took for done.
    std::atomic<bool> sync_failed{false};
    // Nor any before the next start: too few disks are left.
    std::atomic<bool> read_only{false};
    std::mutex gathered_mutex;  // held while it is written, so that nobody reads before that
    SqliteGathered gathered;    // of a WAL or database
    std::atomic<bool> has_gathered{false};
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
    Result<std::size_t> read(SqliteOpening& opening, std::uint64_t offset, MutableBytes out) const;
    // Gathered, but of a journal: the file has it after flush or sync, and readers see no
    // difference.
    Status write(SqliteOpening& opening, std::uint64_t offset, Bytes bytes);
    // Hands what was gathered to the file, without a sync.
    Status flush(SqliteOpening& opening) const;
    // Flushes the WAL of this database, if any.
    Status flush_wal() const;
    void set_wal(std::weak_ptr<SqliteFile> wal);
    // Makes bytes and name durable. After a failure the opening takes no more writes and syncs.
    Status sync(SqliteOpening& opening);
    Status truncate(SqliteOpening& opening, std::uint64_t size_bytes);
    Result<std::uint64_t> size(SqliteOpening& opening) const;

private:
    Status check_usable(const SqliteOpening& opening) const;
    Status write_page(SqliteOpening& opening, std::uint64_t offset, Bytes page);
    Status fill_ahead(SqliteOpening& opening, std::uint64_t end);
    std::string label() const;
    Status flush_before_read(SqliteOpening& opening,
                             std::uint64_t offset,
                             std::size_t size_bytes) const;
    Status gather(SqliteOpening& opening, std::uint64_t offset, Bytes bytes);
    // Whether readers may count on the gathered frames already.
    enum class Committed : bool { no, maybe };
    Status flush_gathered(SqliteOpening& opening, Committed committed) const;
    Status flush_locked(SqliteOpening& opening, Committed committed) const;
    Result<bool> read_frame(const SqliteOpening& opening,
                            std::uint64_t offset,
                            MutableBytes out) const;
    Result<std::size_t> read_page(const SqliteOpening& opening,
                                  std::uint64_t offset,
                                  MutableBytes out) const;
    Status flush_to_sync(SqliteOpening& opening);
    Status after_failed_sync(SqliteOpening& opening, const Status& status) const;
    Status restore_wal(File& file) const;
    Status sync_name();

    SqliteFileContext& context_;
    const std::string path_;
    const SqliteFileKind kind_;
    const std::shared_ptr<SqliteFile> database_;
    Guarded<std::weak_ptr<SqliteFile>> wal_;  // of a database
    mutable SqliteLocks locks_;
    std::mutex opening_mutex_;  // held while the disk opens the file, so that one opening is made
    Guarded<std::shared_ptr<SqliteOpening>> current_;
    std::atomic<bool> name_is_durable_{false};
};

}  // namespace objstore
