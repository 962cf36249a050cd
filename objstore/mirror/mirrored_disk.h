#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "objstore/mirror/mirrored_file.h"

namespace objstore {

// The disk that SQLite sees: one database with its log and journal, each of them a file on every
// mirror. Nothing else can be on it. Threads: any. The set must outlive it, and it its files.
class MirroredDisk final : public Disk {
public:
    // `path`: what SQLite calls the database. `is_new`: its files are yet to be made.
    MirroredDisk(MirrorSet& set, std::string path, bool is_new);

    const std::string& name() const override { return name_; }
    Result<std::unique_ptr<File>> open(std::string_view path, OpenMode mode) override;
    Status make_dir(std::string_view path) override;
    Status sync_dir(std::string_view path) override;
    Status rename(std::string_view from, std::string_view to) override;
    Status remove(std::string_view path) override;
    Result<std::vector<std::string>> list(std::string_view path) override;
    Result<DiskSpace> space() override;

    // Fills a mirror that joins with both files, `bytes_per_second` at a time, until it takes part
    // in everything, then syncs it. cancelled: it was given up, and may be tried anew under another
    // incarnation. `stop` is asked often.
    struct Pace {
        std::uint64_t bytes_per_second = 0;
        std::function<bool(std::chrono::nanoseconds)> wait;  // false: stop
    };
    Status fill(const MirrorPtr& joiner, const Pace& pace);

private:
    struct Files {
        std::shared_ptr<MirroredFile> database;  // shared with SQLite
        std::shared_ptr<MirroredFile> log;
    };
    Result<std::string> suffix_of(std::string_view path) const;
    Result<std::shared_ptr<MirroredFile>> open_on_all(const std::string& suffix, OpenMode mode);
    Status recover_log(const MirroredFile& log);
    Status begin_join(const MirrorPtr& joiner, const Files& files);
    Status check_log(const MirrorPtr& joiner, const MirroredFile& log) const;

    MirrorSet& set_;
    const std::string name_ = "mirrors";
    const std::string path_;
    const bool is_new_;
    std::mutex open_mutex_;  // held while files are opened
    std::set<std::string> made_;
    Files files_;       // those opened last
    MirrorPtr joiner_;  // that they know
    bool log_in_doubt_ = false;
};

}  // namespace objstore
