#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <thread>

#include "objstore/base/assert.h"

namespace fs {

// Keeps what the kernel is told in step with what it is told to forget. A reply that was made up
// before a change but sent after the kernel was told of it would stay in its caches for long. So:
//
// - Who answers notes `seen` before it looks, and passes the gate to send: if there was a change
//   since, what it sends is not to be cached.
// - Who changes something calls `changed` after the commit; whoever tells the kernel first waits
//   for the replies that passed the gate before, which takes microseconds.
//
// Threads: any; `wait_for_replies` one at a time.
class ReplyGate final {
public:
    class Pass {
    public:
        Pass(ReplyGate& gate, std::uint64_t seen) : gate_(gate) {
            // Counted under the present epoch, or the waiter might look at the other counter.
            while (true) {
                epoch_ = gate.epoch_;
                ++gate.inside_[epoch_ % 2];
                if (gate.epoch_ == epoch_) break;
                --gate.inside_[epoch_ % 2];
            }
            fresh_ = gate.changes_ == seen;
        }
        ~Pass() { --gate_.inside_[epoch_ % 2]; }
        Pass(const Pass&) = delete;
        Pass& operator=(const Pass&) = delete;
        // What was looked at is still so, as far as any answered change goes.
        bool fresh() const { return fresh_; }

    private:
        ReplyGate& gate_;
        std::uint64_t epoch_ = 0;
        bool fresh_ = false;
    };

    std::uint64_t seen() const { return changes_; }
    void changed() { ++changes_; }
    void wait_for_replies() {
        const std::uint64_t old = epoch_++;
        while (inside_[old % 2] != 0) std::this_thread::yield();
    }

private:
    // All sequentially consistent: either the reply sees the change, or the waiter the reply.
    std::atomic<std::uint64_t> changes_{0};
    std::atomic<std::uint64_t> epoch_{0};
    std::array<std::atomic<std::uint32_t>, 2> inside_{};
};

}  // namespace fs
