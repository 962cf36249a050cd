#pragma once

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "objstore/mirror/lane.h"
#include "objstore/mirror/record_file.h"

namespace spdlog {
class logger;
}

namespace objstore {

// The records of all disks of a deployment, and the rule for them: read `disks - parity`, write
// `parity + 1`, so that who reads knows the newest that was ever in force. A record is in force
// once it is synced on parity + 1 disks. Threads: one at a time. The disks must outlive it, but
// calls that hang outlive both.
class MirrorRecords final {
public:
    struct Voter {
        LabelDisk label;
        Disk* disk = nullptr;  // null: not here
    };
    struct Options {
        DeploymentId deployment;
        std::vector<Voter> disks;  // by their labels
        std::uint32_t parity = 0;  // of a new deployment
        // After so long a disk that has not answered, while another has, counts as failed.
        std::chrono::nanoseconds limit = std::chrono::seconds(5);
    };
    // Reads them. unavailable: too few can be read; which, says the message. unsupported: a newer
    // version's. conflict: a disk has another's.
    static Result<std::unique_ptr<MirrorRecords>> read(Options options, spdlog::logger& log);

    // The newest one.
    const MirrorRecord& current() const { return current_; }
    // No namespace was ever made.
    bool is_new() const { return current_.mirrors.empty(); }
    // Takes a start number that nobody had, then puts the newest record in force under it.
    // unavailable: too few disks can be written.
    Status start();
    // Puts a record with these mirrors in force. After an error it may have come to some disks, and
    // counts as proposed until a later one is in force.
    Status propose(std::vector<MirrorEntry> mirrors);

private:
    // Shared with the lane's jobs, which may hang.
    struct Member {
        LabelDisk label;
        std::shared_ptr<MirrorRecordFile> file;  // null: the disk is not here
        Status error;                            // why it can not be read
        MirrorRecordFile::State state = MirrorRecordFile::State::absent;
        bool usable = false;  // may be written, and counts then
        std::unique_ptr<Lane> lane;
    };
    explicit MirrorRecords(Options options, spdlog::logger& log);

    void read_all();
    Status check_owner(const Member& member) const;
    Status choose();
    bool is_unused() const;
    Status refuse() const;
    // Sends each usable member of `to` its record; how many have it then.
    std::size_t write(std::span<const DiskId> to,
                      const std::function<MirrorRecord(const Member&)>& record_of);
    Status put_in_force(MirrorRecord next);
    std::string names_without_record() const;

    const Options options_;
    spdlog::logger& log_;
    std::vector<Member> members_;
    MirrorRecord current_;
    std::uint64_t step_ = 0;  // of the last proposal
};

}  // namespace objstore
