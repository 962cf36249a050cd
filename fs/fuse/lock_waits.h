#pragma once

#include <cstdint>
#include <unordered_map>

#include "fs/vfs/vfs.h"
#include "objstore/base/guarded.h"

struct fuse_req;

namespace fs {

// Requests for locks that are answered later: granted, interrupted, or ended with the mount. No
// thread waits. Whoever takes a request out of the table answers it, so each is answered once.
// Threads: any.
class LockWaits final {
public:
    explicit LockWaits(Vfs& vfs) : vfs_(vfs) {}

    // Answers `req` at once or later.
    void wait(fuse_req* req, const Lock& wanted);
    // Ends all waits with EINTR.
    void stop();

private:
    struct Waiting {
        fuse_req* req = nullptr;
        LockWait wait = 0;  // 0: not waiting yet
        bool interrupted = false;
    };
    using Table = std::unordered_map<std::uint64_t, Waiting>;

    static void on_interrupt(fuse_req* req, void* data);
    void interrupt(std::uint64_t id);
    void waits_as(std::uint64_t id, LockWait wait);
    void answer(std::uint64_t id, int error);

    Vfs& vfs_;
    struct State {
        Table table;
        std::uint64_t next = 1;
    };
    objstore::Guarded<State> state_;
};

}  // namespace fs
