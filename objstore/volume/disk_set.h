#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <vector>

#include "objstore/volume/volume_store.h"

namespace objstore {

// The disks of the deployment and how they fare. A disk that failed a write, or is full, gets no
// new volumes until a trial some time later shows it well again. Threads: any.
class DiskSet final {
public:
    struct Options {
        std::uint64_t reserve_bytes = 0;  // free space that volumes leave alone
        std::uint64_t room_bytes = 0;     // a full disk is used again when so much more is free
    };
    DiskSet(const std::vector<VolumeDisk>& disks,
            Options options,
            const Clock& clock,
            spdlog::logger& log);

    int count() const { return static_cast<int>(members_.size()); }
    Disk* disk(int index) const { return member(index).disk; }  // null: absent
    DiskId id(int index) const { return member(index).id; }
    int find(DiskId id) const;  // -1: not a member

    bool writable(int index) const;
    std::vector<int> all_writable() const;
    bool any_full() const;
    // Changes whenever the set of writable disks does.
    std::uint64_t epoch() const { return epoch_.load(std::memory_order_acquire); }

    // no_space: the disk counts as full, otherwise as failed.
    void report_write_error(int index, const Status& status);
    void report_read_error(int index, const Status& status);
    // no_space: less than `bytes` and the reserve are free. Other errors are the disk's.
    Status check_room(int index, std::uint64_t bytes) const;

    // Whether a disk that is out is due for a trial. Cheap.
    bool trial_due() const;
    // Tries those that are due, by writing a file. Blocks on the disks.
    void try_again();
    // The same for all that are out, due or not: for a caller that can not go on without them. A
    // disk is tried at most once a second so, as refused writes may be many.
    void try_all();

    std::vector<VolumeStore::DiskHealth> health() const;

private:
    enum class State : unsigned char { well, failed, full };
    struct Member {
        DiskId id = 0;
        Disk* disk = nullptr;
        std::atomic<State> state{State::well};
        std::atomic<std::int64_t> trial_at{0};            // steady nanoseconds, when not well
        std::atomic<std::int64_t> try_all_at{INT64_MIN};  // not before, by try_all
        std::atomic<std::uint64_t> read_errors{0};
        std::atomic<std::uint64_t> write_errors{0};
    };

    Member& member(int index) const;
    bool is_due(const Member& member) const;
    bool claim_trial(Member& member) const;
    void try_member(int index);
    Status try_one(const Member& member) const;

    const Options options_;
    const Clock& clock_;
    spdlog::logger& log_;
    std::vector<std::unique_ptr<Member>> members_;
    std::atomic<std::uint64_t> epoch_{1};
};

}  // namespace objstore
