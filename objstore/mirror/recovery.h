#pragma once

#include <span>
#include <vector>

#include "objstore/meta/sqlite_wal.h"
#include "objstore/mirror/mirrored_file.h"

namespace objstore {

// Makes the logs of all mirrors what the one that goes furthest is, each written anew and synced:
// what a failed sync left in the page cache is on no disk. The source is the last, so that a crash
// leaves a whole one; it repeats all of it. How each fared; one that can not be written is not
// settled. corruption: what counts can not be read.
Result<std::vector<Status>> recover_logs(std::span<const MirroredFile::Part> logs);

// Whether what counts of two logs is the same.
bool is_same_log(const SqliteWalScan& a, const SqliteWalScan& b);
// Whether that of all is, with an end that can be read.
bool are_equal_logs(std::span<const MirroredFile::Part> logs);

// A mirror's files, as a start finds them.
struct FoundMirror {
    MirrorPtr mirror;
    std::shared_ptr<File> database;
    std::shared_ptr<File> log;
    std::uint64_t database_bytes = 0;
    Status wrong;  // why it is no mirror any more
};

// Opens the files of a mirror. Its `wrong` says what is missing.
FoundMirror find_mirror(MirrorPtr mirror);
// Notes which databases are shorter than the log that counts says. `found` is not empty.
void check_sizes(std::span<FoundMirror> found);

}  // namespace objstore
