#pragma once

#include <cstdint>
#include <vector>

#include "objstore/base/bytes.h"
#include "objstore/base/status.h"
#include "objstore/disk/disk.h"

namespace objstore {

// The WAL's format, as SQLite documents it: a header, then frames of a header and a page. Each
// frame carries a checksum over its header and page that goes on from the frame before, the first
// from the WAL's header.

struct SqliteWalChecksum {
    std::uint32_t first = 0;
    std::uint32_t second = 0;
    bool operator==(const SqliteWalChecksum&) const = default;
};

// Goes on from `before` over `bytes`, a multiple of 8 long.
SqliteWalChecksum sqlite_wal_checksum(SqliteWalChecksum before, Bytes bytes);

// The frame (from 1) whose page lies at `offset`, or 0 when none does.
std::uint32_t sqlite_wal_frame_at(std::uint64_t offset);

// Reads the page of a committed frame and checks it against the checksum beside it, in one read.
// corruption: it is another.
Status read_sqlite_wal_page(const File& wal, std::uint32_t frame, MutableBytes page);

// Whether frames 1 to `frames` are whole and the last has `checksum`. Reads them all.
Result<bool> is_whole_sqlite_wal(const File& wal, std::uint32_t frames, SqliteWalChecksum checksum);

// What of a log counts.
struct SqliteWalScan {
    std::uint32_t sequence = 0;        // one higher each time the log began anew
    std::uint32_t frames = 0;          // to the last commit
    std::uint64_t end = 0;             // of them, in bytes; 0: not even the header is good
    SqliteWalChecksum checksum;        // of the last of them
    std::uint32_t database_pages = 0;  // as of the last commit, if any
    std::vector<std::uint32_t> pages;  // that they are of, in order, none twice
    bool ends_cleanly = true;          // false: what comes after them can not be read
};
// Reads the log as SQLite's recovery does.
SqliteWalScan scan_sqlite_wal(const File& wal);

// Writes what counts of `source` to `target`, which may be the same, with zeros behind it as far as
// that has bytes there, and syncs it. Neither gets longer than the source is.
Status rewrite_sqlite_wal(const File& source, const SqliteWalScan& scan, File& target);

// Writes all bytes of the log again and syncs them. Where a sync has failed, the kernel may count
// pages as clean that are not on the disk; written again they are dirty again, and the sync tells.
// Returns how many bytes could not be read and were made zeros: those alone that lie past the end
// of the chain of frames, where they mean nothing. io_error: what can not be read may belong to
// commits; nothing was made zeros.
Result<std::uint64_t> rewrite_sqlite_wal(File& wal);

}  // namespace objstore
