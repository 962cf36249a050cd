#include "objstore/base/clock.h"

#include <sys/random.h>

#include "objstore/base/assert.h"

namespace objstore {

UnixNanos SystemClock::now() const {
    const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::nanoseconds>(since_epoch).count();
}

std::chrono::nanoseconds SystemClock::steady() const {
    return std::chrono::steady_clock::now().time_since_epoch();
}

std::uint64_t SystemRandom::next() {
    std::uint64_t value = 0;
    const auto got = getrandom(&value, sizeof(value), 0);
    ASSERT(got == static_cast<ssize_t>(sizeof(value)));
    return value;
}

}  // namespace objstore
