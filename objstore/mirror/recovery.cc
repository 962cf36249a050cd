#include "objstore/mirror/recovery.h"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

#include "objstore/meta/sqlite_vfs.h"

namespace objstore {

namespace {

auto rank(const SqliteWalScan& scan) {
    return std::tuple(scan.sequence, scan.frames, scan.ends_cleanly);
}

std::size_t furthest(const std::vector<SqliteWalScan>& scans) {
    const auto less = [](const auto& a, const auto& b) { return rank(a) < rank(b); };
    return static_cast<std::size_t>(std::ranges::max_element(scans, less) - scans.begin());
}

// The file, and why it is none that a mirror has.
Status open_whole(const MirrorPlace& place, std::string_view suffix, std::shared_ptr<File>& file) {
    auto opened = place.disk->open(place.path(suffix), OpenMode::write);
    TRY(opened.error());
    file = std::move(opened).value();
    TRY_ASSIGN(const std::uint64_t size, file->size());
    if (size > 0) return {};
    return Status::corruption(fmt::format("{} is empty", place.path(suffix)));
}

// The last page that the database must have itself, as the log does not.
std::uint32_t last_page_outside(const SqliteWalScan& scan) {
    std::uint32_t page = scan.database_pages;
    auto in_log = scan.pages.rbegin();
    while (in_log != scan.pages.rend() && *in_log > page) ++in_log;
    for (; in_log != scan.pages.rend() && *in_log == page; ++in_log) --page;
    return page;
}

}  // namespace

bool is_same_log(const SqliteWalScan& a, const SqliteWalScan& b) {
    return a.sequence == b.sequence && a.frames == b.frames && a.end == b.end &&
           a.checksum == b.checksum;
}

bool are_equal_logs(std::span<const MirroredFile::Part> logs) {
    const SqliteWalScan first = scan_sqlite_wal(*logs.front().file);
    return first.ends_cleanly &&
           std::ranges::all_of(logs.subspan(1), [&](const MirroredFile::Part& log) {
               const SqliteWalScan scan = scan_sqlite_wal(*log.file);
               return scan.ends_cleanly && is_same_log(scan, first);
           });
}

FoundMirror find_mirror(MirrorPtr mirror) {
    FoundMirror found;
    found.mirror = std::move(mirror);
    const MirrorPlace& place = found.mirror->place();
    found.wrong = open_whole(place, "", found.database);
    if (found.wrong.ok()) found.wrong = open_whole(place, "-wal", found.log);
    if (!found.wrong.ok()) return found;
    // SQLite would roll it back, on this mirror alone.
    const std::string journal = place.path("-journal");
    if (place.disk->open(journal, OpenMode::read).code() != Code::not_found) {
        found.wrong = Status::corruption(journal + " is there");
        return found;
    }
    auto size = found.database->size();
    found.database_bytes = size.value_or(0);
    found.wrong = std::move(size).error();
    return found;
}

void check_sizes(std::span<FoundMirror> found) {
    std::vector<SqliteWalScan> scans;
    std::uint64_t bytes_max = 0;
    for (const FoundMirror& one : found) {
        if (!one.wrong.ok()) continue;
        scans.push_back(scan_sqlite_wal(*one.log));
        bytes_max = std::max(bytes_max, one.database_bytes);
    }
    if (scans.empty()) return;
    const SqliteWalScan& scan = scans[furthest(scans)];
    // With nothing in the log all databases are equal: the log begins anew only when they are.
    const std::uint64_t wanted =
        scan.frames == 0 ? bytes_max : std::uint64_t{last_page_outside(scan)} * kSqlitePageBytes;
    for (FoundMirror& one : found) {
        if (!one.wrong.ok() || one.database_bytes >= wanted) continue;
        one.wrong = Status::corruption(fmt::format("{} has {} bytes instead of {}",
                                                   one.mirror->place().path(""),
                                                   one.database_bytes,
                                                   wanted));
    }
}

Result<std::vector<Status>> recover_logs(std::span<const MirroredFile::Part> logs) {
    ASSERT(!logs.empty());
    std::vector<SqliteWalScan> scans;
    scans.reserve(logs.size());
    for (const MirroredFile::Part& log : logs) scans.push_back(scan_sqlite_wal(*log.file));
    const std::size_t source = furthest(scans);
    if (!scans[source].ends_cleanly) {
        return Status::corruption(fmt::format(
            "the log of the namespace can not be read past frame {}, on no disk, and what follows "
            "may be acknowledged changes; try the disks again (docs/durability.md, After a crash)",
            scans[source].frames));
    }
    std::vector<Status> results(logs.size());
    const auto rewrite = [&](std::size_t i) {
        results[i] = rewrite_sqlite_wal(*logs[source].file, scans[source], *logs[i].file);
    };
    for (std::size_t i = 0; i < logs.size(); ++i) {
        if (i != source) rewrite(i);
    }
    rewrite(source);
    return results;
}

}  // namespace objstore
