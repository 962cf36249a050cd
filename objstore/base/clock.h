#pragma once

#include <chrono>
#include <cstdint>

namespace objstore {

// Nanoseconds since 1970, as stored and as stat(2) shows them. Negative before.
using UnixNanos = std::int64_t;

// Time, so that tests can move it. Threads: any.
class Clock {
public:
    virtual ~Clock() = default;
    virtual UnixNanos now() const = 0;                    // wall clock
    virtual std::chrono::nanoseconds steady() const = 0;  // never goes back
};

class SystemClock final : public Clock {
public:
    UnixNanos now() const override;
    std::chrono::nanoseconds steady() const override;
};

// Random numbers that cannot be guessed. Threads: any.
class Random {
public:
    virtual ~Random() = default;
    virtual std::uint64_t next() = 0;
};

class SystemRandom final : public Random {
public:
    std::uint64_t next() override;
};

}  // namespace objstore
