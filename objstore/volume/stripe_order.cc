#include "objstore/volume/stripe_order.h"

#include <algorithm>

namespace objstore {

namespace {

constexpr std::uint64_t kAhead = 600'000'000;  // ten minutes

}  // namespace

Result<std::uint64_t> StripeOrder::next() {
    const auto now = static_cast<std::uint64_t>(std::max<UnixNanos>(clock_.now(), 0) / 1000);
    std::uint64_t last = last_.load(std::memory_order_relaxed);
    std::uint64_t number = 0;
    do {
        number = std::max(now, last + 1);
    } while (!last_.compare_exchange_weak(last, number));
    if (number > reserved_.load(std::memory_order_acquire)) TRY(reserve(number));
    return number;
}

Status StripeOrder::reserve(std::uint64_t number) {
    const std::lock_guard lock(reserve_mutex_);
    if (number <= reserved_) return {};
    TRY(catalog_.reserve_order(number + kAhead).with_context("order of stripes"));
    reserved_.store(number + kAhead, std::memory_order_release);
    return {};
}

Status StripeOrder::stop() {
    const std::lock_guard lock(reserve_mutex_);
    const std::uint64_t last = last_;
    if (last == reserved_) return {};
    TRY(catalog_.reserve_order(last));
    reserved_ = last;
    return {};
}

}  // namespace objstore
