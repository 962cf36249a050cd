#pragma once

#include <compare>
#include <cstdint>
#include <functional>

#include "fs/vfs/types.h"

namespace fs {

// Who holds a lock: two requests of one owner never conflict.
struct LockOwner {
    Door door = Door::internal;
    std::uint64_t client = 0;  // of NFS; 0 for the mount
    std::uint64_t id = 0;      // the client's or kernel's own number
    auto operator<=>(const LockOwner&) const = default;
};

enum class LockKind : std::uint8_t { range, whole };  // fcntl and flock: they never meet
enum class LockType : std::uint8_t { unlock, shared, exclusive };

struct Lock {
    InodeId inode = 0;
    LockKind kind = LockKind::range;
    LockType type = LockType::exclusive;
    std::uint64_t first = 0;
    std::uint64_t last = ~std::uint64_t{0};  // inclusive
    LockOwner owner;
    std::uint64_t handle = 0;  // through which it was taken: its release drops it
    std::uint32_t pid = 0;     // for F_GETLK
};

using LockWait = std::uint64_t;             // never 0
using LockGranted = std::function<void()>;  // quick; called with nothing locked

}  // namespace fs
