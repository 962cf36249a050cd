#pragma once

#include <cstdint>
#include <mutex>
#include <optional>

#include "objstore/base/bytes.h"
#include "objstore/net/event.h"
#include "s3api/base/error.h"

namespace s3api {

// A ring of bytes between the coroutine that receives a body and the worker that reads it. The
// kernel writes into it and the reader reads from it in place. Neither waits here. Threads: one
// producer, the connection's own, which waits on `event`; one consumer at a time, any worker.
class BodyPipe final {
public:
    // `event` is set when a full pipe has room again; it must outlive this.
    BodyPipe(std::size_t capacity_bytes, objstore::Event& event);
    BodyPipe(const BodyPipe&) = delete;
    BodyPipe& operator=(const BodyPipe&) = delete;

    // Where to receive next. Empty: full, so wait for the event. Never a scrap: at least a quarter
    // of the capacity is free, and contiguous but at the wrap.
    objstore::MutableBytes room();
    void commit(std::size_t bytes);
    void finish(std::size_t bytes);  // commits the last ones
    void fail(S3Status failure);     // the rest will never come
    // Any thread: the consumer would get as much as it last wanted, or the end.
    bool worth_reading() const;

    // Nothing: fewer than `wanted` bytes are there (or half the capacity, if that is less), and
    // more will come. Else the first run of what is there; empty: the end. An error: what fail()
    // said.
    void want(std::size_t wanted_bytes);  // what it will ask for first
    S3Result<std::optional<objstore::Bytes>> readable(std::size_t wanted_bytes);
    void consume(std::size_t bytes);

private:
    std::size_t used() const { return static_cast<std::size_t>(written_ - read_); }
    bool served() const { return used() >= wanted_ || finished_ || !failure_.ok(); }

    objstore::Buffer buffer_;
    objstore::Event& event_;
    mutable std::mutex mutex_;
    std::uint64_t written_ = 0;  // all in all; modulo the capacity, where the next byte goes
    std::uint64_t read_ = 0;
    std::size_t wanted_ = 1;  // by the consumer when it last looked
    bool producer_waits_ = false;
    bool finished_ = false;
    S3Status failure_;
};

}  // namespace s3api
