#include "objstore/meta/sqlite_file.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include <fmt/format.h>

#include "objstore/disk/path.h"
#include "objstore/meta/sqlite_page.h"
#include "objstore/meta/sqlite_wal.h"

namespace objstore {

namespace {

bool is_page(std::uint64_t offset, std::size_t size_bytes) {
    return size_bytes == kSqlitePageBytes && offset % kSqlitePageBytes == 0;
}

// What may be gathered before it is written; more goes in several writes.
constexpr std::size_t kGatheredBytesMax = kMiB;

Status in_doubt(const Status& status) {
    const Why why = status.why() == Why::read_only ? Why::read_only : Why::outcome_unknown;
    return Status(status.code(), std::string(status.message()), why);
}

std::uint32_t page_number(std::uint64_t offset) {
    return static_cast<std::uint32_t>(offset / kSqlitePageBytes + 1);
}

}  // namespace

void SqliteGathered::add(std::uint64_t offset, Bytes bytes) {
    if (runs_.empty() || runs_.back().end() != offset) runs_.push_back({offset, bytes_.size(), 0});
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    runs_.back().size_bytes += bytes.size();
}

bool SqliteGathered::touches(std::uint64_t offset, std::size_t size_bytes) const {
    return std::ranges::any_of(runs_, [&](const Run& run) {
        return offset < run.end() && run.offset < offset + size_bytes;
    });
}

std::vector<FileWrite> SqliteGathered::writes() const {
    std::vector<FileWrite> writes;
    writes.reserve(runs_.size());
    for (const Run& run : runs_) {
        writes.push_back({run.offset, Bytes(bytes_).subspan(run.begin, run.size_bytes)});
    }
    return writes;
}

void SqliteGathered::clear() {
    bytes_.clear();
    runs_.clear();
}

Status SqliteFileContext::report(Status status) const {
    if (!status.ok() && options.on_error) options.on_error(status);
    return status;
}

SqliteFile::SqliteFile(SqliteFileContext& context,
                       std::string path,
                       SqliteFileKind kind,
                       std::shared_ptr<SqliteFile> database)
    : context_(context), path_(std::move(path)), kind_(kind), database_(std::move(database)) {}

std::shared_ptr<SqliteOpening> SqliteFile::current() const {
    return current_.with([](const auto& current) { return current; });
}

Result<std::shared_ptr<SqliteOpening>> SqliteFile::open(OpenMode mode) {
    const std::lock_guard one_at_a_time(opening_mutex_);
    if (auto opening = current(); opening != nullptr && !opening->sync_failed) return opening;
    auto opening = std::make_shared<SqliteOpening>();
    TRY_ASSIGN(opening->file, context_.disk.open(path_, mode));
    const bool unsynced =
        context_.unsynced.with([&](const auto& paths) { return paths.contains(path_); });
    if (unsynced) {
        // A database needs nothing: all that checkpoints wrote since its last good sync is still
        // in the WAL and is copied again (see sync).
        const Status restored =
            kind_ == SqliteFileKind::wal ? restore_wal(*opening->file) : Status();
        // Too few disks are left to write; what is there can still be read.
        if (!restored.ok() && restored.why() != Why::read_only) return restored;
        opening->sync_failed = opening->read_only = !restored.ok();
        if (restored.ok()) context_.unsynced.with([&](auto& paths) { paths.erase(path_); });
    }
    TRY_ASSIGN(opening->end, opening->file->size());
    current_.with([&](auto& current) { current = opening; });
    return opening;
}

// The kernel shows bytes that a failed sync left behind until it forgets them.
Status SqliteFile::restore_wal(File& file) const {
    // Connections that stayed count frames as committed. Where one is lost all must leave, so that
    // the next one recovers what there is: nothing may be appended to a broken chain.
    const auto end = database_->locks_.wal_end();
    TRY_ASSIGN(const bool is_whole, is_whole_sqlite_wal(file, end.frames, end.checksum));
    if (!is_whole) database_->locks_.invalidate();
    return rewrite_sqlite_wal(file).error();
}

Status SqliteFile::check_usable(const SqliteOpening& opening) const {
    if (!opening.sync_failed) return {};
    return Status::io_error(path_ + ": not used since a sync failed", Why::outcome_unknown);
}

std::string SqliteFile::label() const {
    return fmt::format("{}/{}", context_.disk.name(), path_);
}

Result<std::size_t> SqliteFile::read(SqliteOpening& opening,
                                     std::uint64_t offset,
                                     MutableBytes out) const {
    ++context_.counts.reads;
    TRY(flush_before_read(opening, offset, out.size()));
    if (kind_ == SqliteFileKind::database) return read_page(opening, offset, out);
    if (kind_ == SqliteFileKind::wal) {
        TRY_ASSIGN(const bool done, read_frame(opening, offset, out));
        if (done) return out.size();
    }
    TRY_ASSIGN(const std::size_t length, opening.file->read_some_at(offset, out));
    std::memset(out.data() + length, 0, out.size() - length);
    return length;
}

// A page, or a part of one. SQLite takes a page that is missing for zeros, which no page is, and
// asks for none past the end but, of a database that is yet to be made, the first.
Result<std::size_t> SqliteFile::read_page(const SqliteOpening& opening,
                                          std::uint64_t offset,
                                          MutableBytes out) const {
    const std::uint64_t within = offset % kSqlitePageBytes;
    if (within + out.size() > kSqlitePageBytes) {
        return Status::unsupported(
            fmt::format("{}: read of {} bytes at {}, in no page", path_, out.size(), offset));
    }
    const std::uint32_t number = page_number(offset);
    const ReadCheck check{
        .is_right = [number](Bytes bytes) { return is_valid_sqlite_page(bytes, number); }};
    std::array<std::byte, kSqlitePageBytes> whole;
    const bool is_part = out.size() < kSqlitePageBytes;
    const MutableBytes page = is_part ? MutableBytes(whole) : out;
    const Status status = opening.file->read_checked_at(offset - within, page, check);
    if (status.ok()) {
        if (is_part) std::ranges::copy(page.subspan(within, out.size()), out.begin());
        return out.size();
    }
    if (status.code() != Code::corruption) return status;
    if (number == 1) {
        // Before it recovers from the log SQLite asks for the header, also of a page that a crash
        // tore, and of a database that is yet to be made.
        TRY_ASSIGN(const std::size_t length, opening.file->read_some_at(offset, out));
        std::ranges::fill(out.subspan(length), std::byte{0});
        if (is_part || length == 0) return length;
    }
    return Status::corruption(fmt::format("{}: page {} is corrupt", label(), number));
}

// False: it is not the page of a committed frame that was asked for. A transaction that is not
// committed may overwrite its frames before it sums them again, so those can not be checked.
Result<bool> SqliteFile::read_frame(const SqliteOpening& opening,
                                    std::uint64_t offset,
                                    MutableBytes out) const {
    if (out.size() != kSqlitePageBytes) return false;
    const std::uint32_t frame = sqlite_wal_frame_at(offset);
    if (frame == 0 || frame > database_->locks_.wal_end().frames) return false;
    TRY(read_sqlite_wal_page(*opening.file, frame, out).with_context(label()));
    return true;
}

Status SqliteFile::write(SqliteOpening& opening, std::uint64_t offset, Bytes bytes) {
    TRY(check_usable(opening));
    ++context_.counts.writes;
    context_.counts.bytes_written += bytes.size();
    if (kind_ == SqliteFileKind::database) return write_page(opening, offset, bytes);
    if (kind_ == SqliteFileKind::wal) {
        const std::uint64_t end = offset + bytes.size();
        // Not left to the flush: a full disk must be told while the transaction can be taken back.
        if (end > opening.end) TRY(fill_ahead(opening, end));
        return gather(opening, offset, bytes);
    }
    return opening.file->write_at(offset, bytes);
}

Status SqliteFile::gather(SqliteOpening& opening, std::uint64_t offset, Bytes bytes) {
    const std::lock_guard lock(opening.gathered_mutex);
    SqliteGathered& gathered = opening.gathered;
    if (gathered.size_bytes() + bytes.size() > kGatheredBytesMax) {
        TRY(flush_locked(opening, Committed::no));
    }
    gathered.add(offset, bytes);
    opening.has_gathered = true;
    return {};
}

Status SqliteFile::flush(SqliteOpening& opening) const {
    return flush_gathered(opening, Committed::maybe);
}

Status SqliteFile::flush_gathered(SqliteOpening& opening, Committed committed) const {
    if (!opening.has_gathered) return {};
    const std::lock_guard lock(opening.gathered_mutex);
    return flush_locked(opening, committed);
}

Status SqliteFile::flush_locked(SqliteOpening& opening, Committed committed) const {
    SqliteGathered& gathered = opening.gathered;
    if (gathered.empty()) return {};
    TRY(check_usable(opening));
    if (kind_ == SqliteFileKind::wal) ++context_.counts.wal_writes;
    Status status = opening.file->write_each(gathered.writes());
    const bool taken_back = committed == Committed::no && status.code() == Code::no_space;
    if (status.ok() || taken_back) {
        gathered.clear();
        opening.has_gathered = false;
        return status;
    }
    // SQLite was told that it is written: whether it can be is for the next opening to find.
    return after_failed_sync(opening, status);
}

Status SqliteFile::flush_before_read(SqliteOpening& opening,
                                     std::uint64_t offset,
                                     std::size_t size_bytes) const {
    if (!opening.has_gathered) return {};
    const std::lock_guard lock(opening.gathered_mutex);
    if (!opening.gathered.touches(offset, size_bytes)) return {};
    return flush_locked(opening, Committed::maybe);
}

Status SqliteFile::flush_wal() const {
    const auto wal = wal_.with([](const auto& current) { return current.lock(); });
    const auto opening = wal == nullptr ? nullptr : wal->current();
    return opening == nullptr ? Status() : wal->flush(*opening);
}

void SqliteFile::set_wal(std::weak_ptr<SqliteFile> wal) {
    wal_.with([&](auto& current) { current = std::move(wal); });
}

Status SqliteFile::write_page(SqliteOpening& opening, std::uint64_t offset, Bytes page) {
    if (!is_page(offset, page.size())) {
        return Status::unsupported(
            fmt::format("{}: write of {} bytes at {}, not a page", path_, page.size(), offset));
    }
    if (offset == 0 && !has_reserve_for_stamp(page)) {
        return Status::unsupported(path_ + ": was made without prepare_sqlite_connection");
    }
    // A copy: the cache of SQLite owns the page.
    std::array<std::byte, kSqlitePageBytes> stamped;
    std::copy(page.begin(), page.end(), stamped.begin());
    const auto& sequence = context_.options.sequence;
    stamp_sqlite_page(stamped, page_number(offset), sequence ? sequence() : 0);
    return gather(opening, offset, stamped);
}

// Recovery takes a tail of zeros, or of frames from before the last restart, for the end of the
// WAL: their salts are not those of its header, and a frame of zeros names page 0.
Status SqliteFile::fill_ahead(SqliteOpening& opening, std::uint64_t end) {
    static constexpr std::array<std::byte, 16 * kKiB> kZeros{};
    const std::uint64_t from = opening.end;
    const std::uint64_t to = round_up(end, context_.options.wal_step_bytes);
    std::vector<Bytes> pieces;
    for (std::uint64_t left = to - from; left > 0; left -= pieces.back().size()) {
        pieces.push_back(Bytes(kZeros).first(std::min<std::uint64_t>(left, kZeros.size())));
    }
    TRY(opening.file->write_at(from, pieces));
    context_.counts.bytes_written += to - from;
    opening.end = to;
    return {};
}

Status SqliteFile::sync(SqliteOpening& opening) {
    TRY(check_usable(opening));
    ++context_.counts.syncs;
    if (kind_ == SqliteFileKind::wal) ++context_.counts.wal_syncs;
    TRY(flush_to_sync(opening));
    const Status named = sync_name();
    return named.ok() ? Status() : after_failed_sync(opening, named);
}

// A commit becomes one after its sync, and a checkpoint counts after its sync: without space for
// it, SQLite takes the one back and does the other again.
Status SqliteFile::flush_to_sync(SqliteOpening& opening) {
    // Taken out, so that readers need not wait for the disk: none reads a frame of a commit before
    // that has ended. Of a database nothing is left to take: SQLite asks for its size before a
    // checkpoint and cuts it after, and both write what was gathered.
    SqliteGathered gathered;
    {
        const std::lock_guard lock(opening.gathered_mutex);
        std::swap(gathered, opening.gathered);
        opening.has_gathered = false;
    }
    if (kind_ == SqliteFileKind::wal && !gathered.empty()) ++context_.counts.wal_writes;
    const Status status = opening.file->write_and_sync(gathered.writes());
    const bool taken_back = status.code() == Code::no_space && status.why() != Why::outcome_unknown;
    return status.ok() || taken_back ? status : after_failed_sync(opening, status);
}

Status SqliteFile::after_failed_sync(SqliteOpening& opening, const Status& status) const {
    context_.unsynced.with([&](auto& paths) { paths.insert(path_); });
    opening.sync_failed = true;
    // Checkpoints that did not come to their end have written pages that no sync has covered, and
    // this one may have lost them: the next checkpoint copies all frames again.
    if (kind_ == SqliteFileKind::database) locks_.forget_backfill();
    return in_doubt(status);
}

// Once for each file and process: whoever made it may have ended before its name was durable.
Status SqliteFile::sync_name() {
    if (name_is_durable_) return {};
    TRY(context_.disk.sync_dir(split_disk_path(path_).first));
    name_is_durable_ = true;
    return {};
}

Status SqliteFile::truncate(SqliteOpening& opening, std::uint64_t size_bytes) {
    // Cutting the WAL is how SQLite saves space; its bytes past the last frame mean nothing.
    if (kind_ == SqliteFileKind::wal) return {};
    TRY(check_usable(opening));
    TRY(flush_gathered(opening, Committed::no));
    return opening.file->truncate(size_bytes);
}

Result<std::uint64_t> SqliteFile::size(SqliteOpening& opening) const {
    TRY(flush(opening));
    return opening.file->size();
}

}  // namespace objstore
