#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <thread>

#include "objstore/mirror/mirrored_disk.h"
#include "objstore/mirror/recovery.h"

namespace objstore {

// The namespace's copies on `parity + 1` of a deployment's disks, from the start on: which of them
// count, their recovery, and the filling of others in place of those that failed.
// Durability: what `disk()` answers ok survives the loss of any `parity` disks.
// Threads: open and stop from one, the rest from any. What it is given must outlive it.
class Mirrors final {
public:
    struct Options {
        std::string path;  // what SQLite calls the database
        // After so long a disk that has not answered, while another has, counts as failed.
        std::chrono::nanoseconds limit = std::chrono::seconds(5);
        std::uint64_t fill_bytes_per_second = 64 * kMiB;
        // A disk that failed as a mirror, or could not become one, is tried anew after so long.
        std::chrono::nanoseconds retry = std::chrono::minutes(1);
        // How often it is looked whether a mirror is missing.
        std::chrono::nanoseconds look = std::chrono::seconds(1);
    };
    struct Deps {
        DeploymentId deployment;
        std::vector<MirrorRecords::Voter> disks;
        std::uint32_t parity = 0;
        // Asked before a new namespace is begun: whether the disks never stored anything.
        std::function<Status()> check_unused;
        Random& random;
        const Clock& clock;
        spdlog::logger& log;
    };
    // Finds the newest mirrors, brings their logs to one state, and puts those in force that are
    // here and whole; or readies new ones, where no namespace was ever made. After an error nothing
    // but records was changed. unavailable: too many disks are missing; which, says the message.
    // corruption: no mirror is whole.
    static Result<std::unique_ptr<Mirrors>> open(Options options, Deps deps);
    ~Mirrors();  // stops

    // No namespace was ever made: make it on disk(), and publish it before it is used.
    bool is_new() const { return is_new_; }
    Disk& disk() { return *disk_; }
    Status publish();
    // From here on missing mirrors are filled in the background. Once the namespace is open.
    void start();
    // Gives up what is being filled. Safe to repeat.
    void stop();

    struct Info {
        std::vector<MirrorEntry> mirrors;
        std::size_t wanted = 0;
        MirrorEpoch epoch;
    };
    Info info() const;

private:
    Mirrors(Options options, Deps deps);

    Status begin_anew();
    Status recover();
    Result<std::vector<MirrorPtr>> whole_mirrors(std::vector<FoundMirror>& found) const;
    std::vector<FoundMirror> find_mirrors(std::string& missing);
    void make_set(std::vector<MirrorPtr> members);
    MirrorPtr new_mirror(const MirrorRecords::Voter& voter, Mirror::State state);
    void keep();
    const MirrorRecords::Voter* candidate();
    bool fill_one();
    void note_failed();
    bool hangs(DiskId disk) const;
    using IsStale = std::function<bool(const std::string& path)>;
    void remove_on(const MirrorRecords::Voter& voter, const IsStale& is_stale) const;
    bool wait(std::chrono::nanoseconds time);
    bool remove_stale();

    const Options options_;
    const Deps deps_;
    std::unique_ptr<MirrorRecords> records_;
    std::unique_ptr<MirrorSet> set_;
    std::unique_ptr<MirroredDisk> disk_;
    std::size_t wanted_ = 0;  // mirrors
    std::vector<DiskId> voters_;
    bool is_new_ = false;
    // The keeper's.
    std::map<DiskId, std::chrono::nanoseconds> retry_at_;
    std::vector<MirrorPtr> hanging_;  // that failed, and may be in a call still
    std::mutex mutex_;
    std::condition_variable changed_;
    bool stopping_ = false;
    std::thread keeper_;
};

}  // namespace objstore
