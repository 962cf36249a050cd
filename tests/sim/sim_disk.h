#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "objstore/disk/disk.h"
#include "tests/sim/sim_inode.h"
#include "tests/sim/sim_random.h"

namespace tests {

class SimDisk;

// What simulated disks count and what faults hit. All but `read` change something and are the
// operations of which SimWorld::cut_power_after takes the n-th; punch is punch_hole, create is an
// open that makes a file, or make_dir.
enum class SimOperation : unsigned char {
    write,
    sync,
    truncate,
    allocate,
    punch,
    create,
    rename,
    remove,
    sync_dir,
    read,
};
inline constexpr std::size_t kSimOperations = 10;

enum class SimFailure : unsigned char {
    io_error,     // nothing is done; of a sync: some unsynced data is lost and counts as clean
    no_space,     // nothing is done
    short_write,  // part of the write is done, then io_error
    swallowed,    // answers ok and does nothing: a lost write, a sync that lies
};

// Operations of a kind on a disk that go wrong.
struct SimFault {
    SimOperation operation = SimOperation::write;
    SimFailure failure = SimFailure::io_error;
    std::uint64_t after = 0;  // so many pass first
    std::uint64_t times = 1;  // then so many fail; kAlways for all
    std::string path = {};    // counts only operations on paths that contain this

    static constexpr std::uint64_t kAlways = std::numeric_limits<std::uint64_t>::max();
};

// The power supply of several simulated disks, all behaviour following from a seed. It must outlive
// the files of its disks. Threads: any (one lock); with several threads the order of operations,
// and so what a seed does, is open.
class SimWorld final {
public:
    explicit SimWorld(std::uint64_t seed);
    ~SimWorld();

    // Adds an empty disk; it lives as long as the world.
    SimDisk& add_disk(std::string name);
    SimDisk& disk(std::size_t index);
    std::size_t disk_count() const;

    // Lets `operations` more operations pass, on all disks together; the one after them meets the
    // cut. That one fails, though what it asked for may have been done in part or whole, and all
    // later ones fail with io_error "power is off" until power_cycle.
    void cut_power_after(std::uint64_t operations);
    void cut_power();
    // Whether the cut armed last has come.
    bool power_was_cut() const;
    // Cuts power if it is on, decides by seed what of the unsynced state survives, and turns power
    // on. Files opened before stay unusable. An armed cut that has not come is taken back.
    void power_cycle();
    // Operations that disks were asked for while there was power.
    std::uint64_t operation_count() const;

private:
    friend class SimDisk;
    friend class SimFile;

    mutable std::mutex mutex_;
    SimRandom random_;
    std::vector<std::unique_ptr<SimDisk>> disks_;
    std::uint64_t operations_ = 0;
    std::optional<std::uint64_t> cut_after_;  // operations still to pass
    bool cut_came_ = false;
    bool powered_ = true;
};

// A disk in memory that forgets, tears or keeps each thing that was not synced when power is cut.
// Sectors of 512 bytes are atomic; a write, a size, a new name survive in any combination. A name
// that was made durable has its file, whose bytes are those synced. Changes of one name keep their
// order, those of different names need not; a rename is there whole or not at all, and durable once
// the directory it leads to is synced.
class SimDisk final : public objstore::Disk {
public:
    SimDisk(SimWorld& world, std::string name);

    const std::string& name() const override { return name_; }
    objstore::Result<std::unique_ptr<objstore::File>> open(std::string_view path,
                                                           objstore::OpenMode mode) override;
    objstore::Status make_dir(std::string_view path) override;
    objstore::Status sync_dir(std::string_view path) override;
    objstore::Status rename(std::string_view from, std::string_view to) override;
    objstore::Status remove(std::string_view path) override;
    objstore::Result<std::vector<std::string>> list(std::string_view path) override;
    objstore::Result<objstore::DiskSpace> space() override;

    // Faults. Several may wait; of those that match an operation the oldest takes it.
    void fail(SimFault fault);
    void clear_faults();
    // While dead every operation fails with io_error, on open files too.
    void set_dead(bool dead);
    // The disk is replaced by an empty one; files opened before stay unusable.
    void replace();
    // Growing writes and allocations past this many bytes in all files fail with no_space. What was
    // allocated ahead is not counted as used.
    void set_capacity(std::uint64_t bytes);

    // Rot: changes every byte of the range, on the platter and in the cache. The file must have it.
    void corrupt(std::string_view path, std::uint64_t offset, std::uint64_t length);
    // Sectors that can not be read until they are written. The range is of whole ones.
    void lose(std::string_view path, std::uint64_t offset, std::uint64_t length);
    struct Move {
        std::uint64_t from = 0;
        std::uint64_t to = 0;
        std::uint64_t length = 0;
    };
    // A write gone astray: the bytes of one place of a file also appear in another.
    void misplace(std::string_view path, Move move);

    // For tests to look at: counts of operations that were asked for, bytes they wrote, a file's
    // bytes as reads see them (none: no such file), whether all of them are durable.
    std::uint64_t count(SimOperation operation) const;
    std::uint64_t bytes_written() const;
    std::optional<std::string> contents(std::string_view path) const;
    bool is_synced(std::string_view path) const;

private:
    friend class SimWorld;
    friend class SimFile;

    // A change of names that is not durable: `inode` leaves `from` and comes to `to`, either of
    // which may be missing. Shared: see SimInode.
    struct Place {
        std::shared_ptr<SimInode> directory;
        std::string name;
        bool operator==(const Place&) const = default;
    };
    struct NameChange {
        std::optional<Place> from;
        std::optional<Place> to;
        std::shared_ptr<SimInode> inode;
    };
    // What to do with an operation: `status` is its answer, `apply` whether to do it first.
    struct Verdict {
        objstore::Status status;
        bool apply = true;
        SimFailure failure = SimFailure::io_error;
    };

    // All of these want the world's lock held.
    objstore::Status check_power(std::string_view path) const;
    Verdict begin(SimOperation operation, std::string_view path);
    bool take_fault(SimOperation operation, std::string_view path, SimFailure& failure);
    std::shared_ptr<SimInode> find(std::string_view path) const;
    objstore::Result<Place> place_of(std::string_view path) const;
    void change_names(NameChange change);
    void make_names_durable(const std::shared_ptr<SimInode>& directory);
    void cut();
    std::uint64_t used_bytes() const;
    objstore::Status check_room(std::uint64_t size_before, std::uint64_t size_after) const;
    std::string label(std::string_view path) const { return name_ + "/" + std::string(path); }

    static constexpr std::uint64_t kCapacityBytes = std::uint64_t{1} << 40;

    SimWorld& world_;
    const std::string name_;
    std::shared_ptr<SimInode> root_;
    std::vector<NameChange> changes_;  // oldest first
    std::vector<SimFault> faults_;
    std::array<std::uint64_t, kSimOperations> counts_{};
    std::uint64_t bytes_written_ = 0;
    std::uint64_t capacity_bytes_ = kCapacityBytes;
    std::uint64_t generation_ = 0;  // of open files: a cut or a replacement ends it
    bool dead_ = false;
};

}  // namespace tests
