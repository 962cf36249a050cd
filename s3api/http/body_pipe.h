#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "objstore/base/bytes.h"
#include "objstore/net/event.h"
#include "s3api/base/error.h"

namespace s3api {

// A ring of bytes between the coroutine that receives a body and the worker that reads it. The
// kernel writes into it and the reader reads from it in place. Threads: one producer, the
// connection's own, which waits on `event`; one consumer, any worker, which blocks.
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

    // Blocks until `wanted` bytes are there (at most half the capacity), or the end. Gives the
    // first run of what is there; empty: the end. An error: what fail() said.
    S3Result<objstore::Bytes> readable(std::size_t wanted_bytes);
    void consume(std::size_t bytes);

private:
    std::size_t used() const { return static_cast<std::size_t>(written_ - read_); }
    void wake_consumer_if_served();

    objstore::Buffer buffer_;
    objstore::Event& event_;
    std::mutex mutex_;
    std::condition_variable filled_;
    std::uint64_t written_ = 0;  // all in all; modulo the capacity, where the next byte goes
    std::uint64_t read_ = 0;
    std::size_t wanted_ = 0;  // by a consumer that waits
    bool producer_waits_ = false;
    bool finished_ = false;
    S3Status failure_;
};

}  // namespace s3api
