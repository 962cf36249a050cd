#pragma once

#include <mutex>
#include <utility>

namespace objstore {

// Data that is only reached with its lock held. For memory work only: never across disk, network,
// callbacks or a suspension.
template <typename T>
class Guarded final {
public:
    template <typename... Args>
    explicit Guarded(Args&&... args) : value_(std::forward<Args>(args)...) {}

    template <typename Fn>
    decltype(auto) with(Fn&& fn) {
        const std::lock_guard lock(mutex_);
        return std::forward<Fn>(fn)(value_);
    }
    template <typename Fn>
    decltype(auto) with(Fn&& fn) const {
        const std::lock_guard lock(mutex_);
        return std::forward<Fn>(fn)(value_);
    }

private:
    mutable std::mutex mutex_;
    T value_;
};

}  // namespace objstore
