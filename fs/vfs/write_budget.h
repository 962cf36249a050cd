#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>

namespace fs {

// How many bytes may wait in memory, of all files. Threads: any.
class WriteBudget final {
public:
    explicit WriteBudget(std::size_t bytes_max) : bytes_max_(bytes_max) {}

    // False: there is no room now.
    bool try_take(std::size_t bytes) {
        const std::lock_guard lock(mutex_);
        if (taken_ + bytes > bytes_max_) return false;
        taken_ += bytes;
        return true;
    }
    // Waits until there is room; somebody must be giving back.
    void take(std::size_t bytes) {
        std::unique_lock lock(mutex_);
        room_.wait(lock, [&] { return taken_ + bytes <= bytes_max_; });
        taken_ += bytes;
    }
    void give_back(std::size_t bytes) {
        {
            const std::lock_guard lock(mutex_);
            taken_ -= bytes;
        }
        room_.notify_all();
    }
    std::size_t taken() const {
        const std::lock_guard lock(mutex_);
        return taken_;
    }

private:
    const std::size_t bytes_max_;
    mutable std::mutex mutex_;
    std::condition_variable room_;
    std::size_t taken_ = 0;
};

}  // namespace fs
