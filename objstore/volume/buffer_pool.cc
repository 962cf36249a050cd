#include "objstore/volume/buffer_pool.h"

#include <algorithm>

namespace objstore {

namespace {

constexpr std::size_t kStepBytes = 64 * kKiB;
constexpr std::chrono::seconds kWaitMax{10};

}  // namespace

Buffer BufferPool::take(std::size_t size_bytes) {
    const std::size_t wanted = round_up(size_bytes, kStepBytes);
    Buffer found = idle_.with([&](Idle& idle) {
        // The smallest that is large enough and not a waste.
        auto best = idle.buffers.end();
        for (auto at = idle.buffers.begin(); at != idle.buffers.end(); ++at) {
            if (at->size() < wanted || at->size() > 2 * wanted) continue;
            if (best == idle.buffers.end() || at->size() < best->size()) best = at;
        }
        if (best == idle.buffers.end()) return Buffer();
        Buffer buffer = std::move(*best);
        idle.bytes -= buffer.size();
        *best = std::move(idle.buffers.back());
        idle.buffers.pop_back();
        return buffer;
    });
    return found.empty() ? Buffer(wanted) : std::move(found);
}

void BufferPool::give(Buffer buffer) {
    if (buffer.empty()) return;
    idle_.with([&](Idle& idle) {
        if (idle.bytes + buffer.size() > idle_bytes_max_) return;
        idle.bytes += buffer.size();
        idle.buffers.push_back(std::move(buffer));
    });
}

bool BufferBudget::try_take(std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    if (used_ + bytes > bytes_max_ - bytes_max_ / 4) return false;
    used_ += bytes;
    return true;
}

Status BufferBudget::take(std::size_t bytes) {
    std::unique_lock lock(mutex_);
    // What is larger than everything gets its turn alone.
    const auto fits = [&] { return used_ == 0 || used_ + bytes <= bytes_max_; };
    if (!given_.wait_for(lock, kWaitMax, fits)) {
        return Status::unavailable("too many large writes at once", Why::busy);
    }
    used_ += bytes;
    return {};
}

void BufferBudget::give(std::size_t bytes) {
    {
        const std::lock_guard lock(mutex_);
        ASSERT(used_ >= bytes);
        used_ -= bytes;
    }
    given_.notify_all();
}

}  // namespace objstore
