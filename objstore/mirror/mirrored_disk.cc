#include "objstore/mirror/mirrored_disk.h"

#include <algorithm>
#include <map>
#include <tuple>

#include <fmt/format.h>

#include "objstore/disk/path.h"
#include "objstore/meta/sqlite_page.h"
#include "objstore/meta/sqlite_vfs.h"
#include "objstore/mirror/recovery.h"

namespace objstore {

namespace {

constexpr std::string_view kLogSuffix = "-wal";
constexpr std::size_t kCopyBytes = 256 * kKiB;

// SQLite owns files by unique_ptr; those who fill a mirror use them too.
class SharedFile final : public File {
public:
    explicit SharedFile(std::shared_ptr<MirroredFile> file) : file_(std::move(file)) {}

    using File::write_at;
    Status read_at(std::uint64_t offset, MutableBytes out) const override {
        return file_->read_at(offset, out);
    }
    Result<std::size_t> read_some_at(std::uint64_t offset, MutableBytes out) const override {
        return file_->read_some_at(offset, out);
    }
    bool try_read_at(std::uint64_t offset, MutableBytes out) const override {
        return file_->try_read_at(offset, out);
    }
    Status read_checked_at(std::uint64_t offset,
                           MutableBytes out,
                           const ReadCheck& check) const override {
        return file_->read_checked_at(offset, out, check);
    }
    Status write_at(std::uint64_t offset, std::span<const Bytes> pieces) override {
        return file_->write_at(offset, pieces);
    }
    Status write_each(std::span<const FileWrite> writes) override {
        return file_->write_each(writes);
    }
    Status sync() override { return file_->sync(); }
    Status write_and_sync(std::span<const FileWrite> writes) override {
        return file_->write_and_sync(writes);
    }
    Status allocate(std::uint64_t offset, std::uint64_t length) override {
        return file_->allocate(offset, length);
    }
    Status truncate(std::uint64_t size_bytes) override { return file_->truncate(size_bytes); }
    Status punch_hole(std::uint64_t offset, std::uint64_t length) override {
        return file_->punch_hole(offset, length);
    }
    Result<std::uint64_t> size() const override { return file_->size(); }
    void start_write_out(std::uint64_t offset, std::uint64_t length) override {
        file_->start_write_out(offset, length);
    }
    void drop_cache(std::uint64_t offset, std::uint64_t length) override {
        file_->drop_cache(offset, length);
    }

private:
    const std::shared_ptr<MirroredFile> file_;
};

Status not_on_it(std::string_view path) {
    return Status::unsupported(fmt::format("{}: not a file of the namespace", path));
}

}  // namespace

MirroredDisk::MirroredDisk(MirrorSet& set, std::string path, bool is_new)
    : set_(set), path_(std::move(path)), is_new_(is_new) {}

Result<std::string> MirroredDisk::suffix_of(std::string_view path) const {
    if (!path.starts_with(path_)) return not_on_it(path);
    return std::string(path.substr(path_.size()));
}

Result<std::unique_ptr<File>> MirroredDisk::open(std::string_view path, OpenMode mode) {
    TRY_ASSIGN(const std::string suffix, suffix_of(path));
    const std::lock_guard lock(open_mutex_);
    if (mode == OpenMode::create) {
        // Files of an incarnation are made once. Where one is gone since, nothing takes its place.
        mode = is_new_ && !made_.contains(suffix) ? OpenMode::create_new : OpenMode::write;
    }
    // A joiner is either a member by now, and opened with the others, or never will be.
    if (mode != OpenMode::read && joiner_ != nullptr && !joiner_->is_member()) joiner_->fail();
    TRY_ASSIGN(auto file, open_on_all(suffix, mode));
    if (mode == OpenMode::create_new) made_.insert(suffix);
    if (mode != OpenMode::read && suffix.empty()) files_.database = file;
    if (mode != OpenMode::read && suffix == kLogSuffix) {
        log_in_doubt_ = log_in_doubt_ || (files_.log != nullptr && files_.log->is_in_doubt());
        const bool again = log_in_doubt_ || files_.log != nullptr;
        const Status recovered = again ? recover_log(*file) : Status();
        if (!recovered.ok() && recovered.why() != Why::read_only) return recovered;
        log_in_doubt_ = !recovered.ok();
        files_.log = file;
    }
    return std::unique_ptr<File>(std::make_unique<SharedFile>(std::move(file)));
}

Result<std::shared_ptr<MirroredFile>> MirroredDisk::open_on_all(const std::string& suffix,
                                                                OpenMode mode) {
    const auto members = set_.members();
    // Shared with calls that may hang.
    const auto opened = std::make_shared<std::vector<std::shared_ptr<File>>>(members.size());
    std::map<DiskId, std::size_t> indexes;
    for (std::size_t i = 0; i < members.size(); ++i) indexes[members[i]->label().id] = i;
    const auto answers = set_.on_each(members, [=](const MirrorPlace& place) -> Status {
        auto file = place.disk->open(place.path(suffix), mode);
        TRY(file.error());
        (*opened)[indexes.at(place.label.id)] = std::move(file).value();
        return {};
    });
    const Status settled = set_.settle(members, answers);
    // What is there can still be read.
    const bool to_read = settled.why() == Why::read_only && mode != OpenMode::create_new;
    if (!settled.ok() && !to_read) return settled;
    std::vector<MirroredFile::Part> parts;
    for (std::size_t i = 0; i < members.size(); ++i) {
        if (answers[i].ok()) parts.push_back({members[i], (*opened)[i]});
    }
    return std::make_shared<MirroredFile>(set_, std::move(parts));
}

Status MirroredDisk::recover_log(const MirroredFile& log) {
    // What a write that was late does comes first.
    const auto members = set_.members();
    TRY(set_.settle(members, set_.on_each(members, [](const MirrorPlace&) { return Status(); })));
    auto parts = log.parts();
    std::erase_if(parts, [](const MirroredFile::Part& part) { return !part.mirror->is_member(); });
    if (parts.empty()) return Status::unavailable("no mirror is left");
    // SQLite believes the first one's.
    if (!log_in_doubt_ && are_equal_logs(parts)) return {};
    TRY_ASSIGN(const auto answers, recover_logs(parts));
    std::vector<MirrorPtr> mirrors;
    mirrors.reserve(parts.size());
    for (const MirroredFile::Part& part : parts) mirrors.push_back(part.mirror);
    return set_.settle(mirrors, answers);
}

// Of the folder they are all in, which each disk has.
Status MirroredDisk::make_dir(std::string_view /*path*/) {
    return {};
}

Status MirroredDisk::sync_dir(std::string_view path) {
    const std::string folder(split_disk_path(path_).first);
    if (path != folder) return {};
    const auto members = set_.members();
    const auto answers = set_.on_each(
        members, [folder](const MirrorPlace& place) { return place.disk->sync_dir(folder); });
    return set_.settle(members, answers);
}

Status MirroredDisk::rename(std::string_view from, std::string_view /*to*/) {
    return not_on_it(from);
}

Status MirroredDisk::remove(std::string_view path) {
    TRY_ASSIGN(const std::string suffix, suffix_of(path));
    if (suffix.empty() || suffix == kLogSuffix) {
        return Status::unsupported(std::string(path) + ": the namespace is never removed");
    }
    const std::lock_guard lock(open_mutex_);
    const auto members = set_.members();
    const auto answers = set_.on_each(members, [suffix](const MirrorPlace& place) {
        return place.disk->remove(place.path(suffix));
    });
    made_.erase(suffix);
    return set_.settle(members, answers);
}

Result<std::vector<std::string>> MirroredDisk::list(std::string_view path) {
    return not_on_it(path);
}

Result<DiskSpace> MirroredDisk::space() {
    const auto members = set_.members();
    if (members.empty()) return Status::unavailable("no mirror is left");
    return members.front()->place().disk->space();
}

Status MirroredDisk::begin_join(const MirrorPtr& joiner, const Files& files) {
    const std::string folder(split_disk_path(path_).first);
    // Shared with a call that may hang.
    const auto database = std::make_shared<std::shared_ptr<File>>();
    const auto log = std::make_shared<std::shared_ptr<File>>();
    const auto make_files = [folder, database, log](const MirrorPlace& place) -> Status {
        TRY(place.disk->make_dir(folder));
        TRY(place.disk->sync_dir(split_disk_path(folder).first));
        TRY_ASSIGN(*database, place.disk->open(place.path(""), OpenMode::create_new));
        TRY_ASSIGN(*log, place.disk->open(place.path(kLogSuffix), OpenMode::create_new));
        return place.disk->sync_dir(folder);
    };
    TRY(set_.ask(joiner, make_files));
    const std::lock_guard lock(open_mutex_);
    const bool in_doubt =
        log_in_doubt_ || files.log->is_in_doubt() || files.database->is_in_doubt();
    if (files.database != files_.database || files.log != files_.log || in_doubt) {
        return Status::cancelled("the namespace was opened again");
    }
    files.database->begin_join({joiner, *database});
    files.log->begin_join({joiner, *log});
    joiner_ = joiner;
    return {};
}

// That what counts of the log is whole: of its frames no more than a checksum tells, which goes
// from one to the next.
Status MirroredDisk::check_log(const MirrorPtr& joiner, const MirroredFile& log) const {
    const auto lock = log.stop_writers();
    auto parts = log.parts();
    std::erase_if(parts, [](const MirroredFile::Part& part) { return part.mirror->has_failed(); });
    // Shared with reads that may hang.
    const auto scans = std::make_shared<std::vector<SqliteWalScan>>(parts.size());
    const auto answers = std::make_shared<Answers>(parts.size());
    for (std::size_t i = 0; i < parts.size(); ++i) {
        parts[i].mirror->reads().post([i, scans, answers, file = parts[i].file] {
            (*scans)[i] = scan_sqlite_wal(*file);
            answers->give(i, Status());
        });
    }
    for (Status& answer : answers->wait(set_.limit(), true)) TRY(std::move(answer));
    SqliteWalScan best;
    SqliteWalScan copy;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const SqliteWalScan& scan = (*scans)[i];
        if (parts[i].mirror == joiner) {
            copy = scan;
        } else if (std::tie(scan.sequence, scan.frames) >= std::tie(best.sequence, best.frames)) {
            best = scan;
        }
    }
    if (is_same_log(copy, best)) {
        return {};
    }
    return Status::corruption(fmt::format("its log ends at frame {}.{} instead of {}.{}",
                                          copy.sequence,
                                          copy.frames,
                                          best.sequence,
                                          best.frames));
}

Status MirroredDisk::fill(const MirrorPtr& joiner, const Pace& pace) {
    Files files;
    {
        const std::lock_guard lock(open_mutex_);
        files = files_;
    }
    if (files.database == nullptr || files.log == nullptr) {
        return Status::cancelled("the namespace is not open");
    }
    TRY(begin_join(joiner, files));
    const auto any = [](std::uint64_t, Bytes) { return true; };
    const auto is_page = [](std::uint64_t offset, Bytes bytes) {
        const auto number = static_cast<std::uint32_t>(offset / kSqlitePageBytes + 1);
        return bytes.size() == kSqlitePageBytes && is_valid_sqlite_page(bytes, number);
    };
    const std::chrono::nanoseconds step(kCopyBytes * 1'000'000'000 /
                                        std::max<std::uint64_t>(pace.bytes_per_second, 1));
    for (const auto& [file, check] :
         {std::pair<MirroredFile*, MirroredFile::BlockCheck>(files.database.get(), is_page),
          {files.log.get(), any}}) {
        // What comes in addition meanwhile is not slowed down, or it might never end.
        TRY_ASSIGN(const std::uint64_t size, file->size());
        for (std::uint64_t copied = 0;; copied += kCopyBytes) {
            TRY_ASSIGN(const bool more, file->copy_to_joiner(kCopyBytes, check));
            if (!more) break;
            const bool go_on = pace.wait(copied < size ? step : std::chrono::nanoseconds(0));
            if (!go_on) return Status::cancelled("stopping");
        }
    }
    TRY(check_log(joiner, *files.log));
    // All that it was sent before the cursors went to the end; from there on it is in every sync.
    TRY(files.database->sync());
    TRY(files.log->sync());
    const std::string folder(split_disk_path(path_).first);
    TRY(set_.ask(joiner,
                 [folder](const MirrorPlace& place) { return place.disk->sync_dir(folder); }));
    return joiner->has_failed() ? Status::cancelled("it failed meanwhile") : Status();
}

}  // namespace objstore
