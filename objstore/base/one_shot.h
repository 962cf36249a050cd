#pragma once

#include <atomic>
#include <cstdint>

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace objstore {

// Set once by one thread, awaited by another, who may destroy it as soon as wait returns. One
// system call on each side and none when it is set first. (The semaphores of libstdc++ yield the
// processor several times before they sleep, and a condition variable must wake its waiter under
// the lock.)
class OneShot final {
public:
    void set() {
        // From the store on, the waiter may be gone: the call below then wakes nobody.
        const auto word = reinterpret_cast<std::uintptr_t>(&state_);
        if (state_.exchange(kSet, std::memory_order_acq_rel) == kAwaited) {
            ::syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
        }
    }
    void wait() {
        std::uint32_t expected = kNew;
        if (!state_.compare_exchange_strong(expected, kAwaited, std::memory_order_acq_rel)) return;
        while (state_.load(std::memory_order_acquire) == kAwaited) {
            ::syscall(SYS_futex, &state_, FUTEX_WAIT_PRIVATE, kAwaited, nullptr, nullptr, 0);
        }
    }

private:
    static constexpr std::uint32_t kNew = 0;
    static constexpr std::uint32_t kAwaited = 1;
    static constexpr std::uint32_t kSet = 2;

    static_assert(sizeof(std::atomic<std::uint32_t>) == sizeof(std::uint32_t));
    std::atomic<std::uint32_t> state_{kNew};
};

}  // namespace objstore
