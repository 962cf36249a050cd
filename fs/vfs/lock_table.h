#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "fs/vfs/locks.h"
#include "objstore/base/guarded.h"

namespace fs {

// Byte-range (fcntl, NFS) and whole-file (flock) locks of all doors. No call waits: who must wait
// is told later, in the order of asking. Not durable. Threads: any.
class LockTable final {
public:
    struct Limits {
        std::size_t locks_max = 65536;
        std::size_t waits_max = 8192;
    };
    LockTable() : LockTable(Limits{}) {}
    explicit LockTable(Limits limits) : limits_(limits) {}

    // The lock of another owner that stands in the way; the lowest.
    std::optional<Lock> test(const Lock& wanted) const;
    // Takes, changes or gives up a range at once. conflict: somebody holds it. no_space: too many.
    Status set(const Lock& wanted);
    // As `set`, but where it would conflict, `granted` is called once it was taken. 0: taken.
    Result<LockWait> wait(const Lock& wanted, LockGranted granted);
    // True: it still waited, and is forgotten.
    bool cancel(LockWait wait);
    void release_owner(InodeId inode, LockOwner owner, LockKind kind);
    void release_handle(InodeId inode, std::uint64_t handle);
    std::size_t lock_count() const;

private:
    struct Waiting {
        LockWait id = 0;
        Lock lock;
        LockGranted granted;
    };
    struct File {
        std::vector<Lock> locks;  // of one owner and kind: never overlapping
        std::deque<Waiting> waiting;
    };
    struct State {
        std::map<InodeId, File> files;
        std::map<LockWait, InodeId> waits;
        std::size_t locks = 0;
        LockWait next_wait = 1;
    };

    static const Lock* conflicting(const File& file, const Lock& wanted);
    static void apply(State& state, File& file, const Lock& wanted);
    static std::vector<LockGranted> grant_waiting(State& state, InodeId inode);
    void change(InodeId inode, const std::function<void(State&, File&)>& edit);

    const Limits limits_;
    objstore::Guarded<State> state_;
};

}  // namespace fs
