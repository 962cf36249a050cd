#include "s3api/http/body_pipe.h"

#include <algorithm>
#include <utility>

namespace s3api {

BodyPipe::BodyPipe(std::size_t capacity_bytes, objstore::Event& event)
    : buffer_(capacity_bytes), event_(event) {
    ASSERT(capacity_bytes >= 16);
}

objstore::MutableBytes BodyPipe::room() {
    const std::lock_guard lock(mutex_);
    const std::size_t free = buffer_.size() - used();
    if (free < buffer_.size() / 4) {
        producer_waits_ = true;
        return {};
    }
    const auto at = static_cast<std::size_t>(written_ % buffer_.size());
    return buffer_.span().subspan(at, std::min(free, buffer_.size() - at));
}

void BodyPipe::commit(std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    ASSERT(!finished_);
    ASSERT(used() + bytes <= buffer_.size());
    written_ += bytes;
}

void BodyPipe::finish(std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    ASSERT(!finished_);
    ASSERT(used() + bytes <= buffer_.size());
    written_ += bytes;
    finished_ = true;
}

void BodyPipe::fail(S3Status failure) {
    const std::lock_guard lock(mutex_);
    ASSERT(!failure.ok());
    failure_ = std::move(failure);
}

bool BodyPipe::worth_reading() const {
    const std::lock_guard lock(mutex_);
    return served();
}

void BodyPipe::want(std::size_t wanted_bytes) {
    const std::lock_guard lock(mutex_);
    wanted_ = std::clamp<std::size_t>(wanted_bytes, 1, buffer_.size() / 2);
}

S3Result<std::optional<objstore::Bytes>> BodyPipe::readable(std::size_t wanted_bytes) {
    want(wanted_bytes);
    const std::lock_guard lock(mutex_);
    if (!failure_.ok()) return failure_;
    if (!served()) return std::optional<objstore::Bytes>();
    const auto at = static_cast<std::size_t>(read_ % buffer_.size());
    const std::size_t run = std::min(used(), buffer_.size() - at);
    return std::optional(objstore::Bytes(buffer_.span()).subspan(at, run));
}

void BodyPipe::consume(std::size_t bytes) {
    bool wake = false;
    {
        const std::lock_guard lock(mutex_);
        ASSERT(bytes <= used());
        read_ += bytes;
        const bool roomy = buffer_.size() - used() >= buffer_.size() / 2;
        if (roomy) wake = std::exchange(producer_waits_, false);
    }
    if (wake) event_.set();
}

}  // namespace s3api
