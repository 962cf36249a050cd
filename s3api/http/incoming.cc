#include "s3api/http/incoming.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace s3api {

using objstore::Buffer;
using objstore::Bytes;
using objstore::Code;
using objstore::MutableBytes;
using objstore::Task;

Incoming::Incoming(objstore::Stream& stream, const ConnectionLimits& limits)
    : stream_(stream), limits_(limits) {}

void Incoming::move_held(std::size_t to) {
    ASSERT(to <= begin_);
    const std::size_t bytes = end_ - begin_;
    if (begin_ > to && bytes > 0) std::memmove(buffer_.data() + to, buffer_.data() + begin_, bytes);
    begin_ = to;
    end_ = to + bytes;
}

Task<S3Result<bool>> Incoming::next_head() {
    ASSERT(!body_left());
    body_ = Buffer();
    move_held(0);
    head_.begin();
    bool begun = false;
    while (true) {
        if (end_ > 0) {
            CO_TRY_ASSIGN(const bool complete, head_.read(objstore::as_text(held())));
            if (complete) break;
        }
        if (end_ == 0) {
            stream_.set_idle(true);
            stream_.expires_after(limits_.idle);
        } else if (!std::exchange(begun, true)) {
            stream_.expires_after(limits_.head);  // Not for each byte: for all of them.
        }
        const MutableBytes rest = buffer_.span().subspan(end_);
        auto bytes = co_await stream_.read_some(rest);
        stream_.set_idle(false);
        if (!bytes.ok() && bytes.code() == Code::timed_out && end_ > 0) {
            co_return S3Error::request_timeout;
        }
        if (!bytes.ok() || *bytes == 0) co_return false;
        end_ += *bytes;
    }
    begin_ = head_bytes_ = head_.consumed_bytes();
    begin_body();
    co_return true;
}

void Incoming::begin_body() {
    raw_left_ = head_.content_length().value_or(0);
    chunked_left_ = head_.chunked();
    progress_ = 0;
    if (body_left()) {
        stream_.expires_after(limits_.progress);
    } else {
        stream_.expires_never();
    }
}

std::size_t Incoming::take_held(MutableBytes into) {
    const std::size_t bytes = std::min<std::uint64_t>({into.size(), end_ - begin_, raw_left_});
    if (bytes > 0) std::memcpy(into.data(), buffer_.data() + begin_, bytes);
    begin_ += bytes;
    raw_left_ -= bytes;
    return bytes;
}

Task<S3Result<std::size_t>> Incoming::read_stream(MutableBytes into) {
    auto bytes = co_await stream_.read_some(into);
    if (!bytes.ok() && bytes.code() == Code::timed_out) co_return S3Error::request_timeout;
    if (!bytes.ok() || *bytes == 0) co_return S3Error::incomplete_body;
    progress_ += *bytes;
    if (progress_ >= objstore::Stream::kProgressBytes) {
        progress_ = 0;
        stream_.expires_after(limits_.progress);
    }
    co_return *bytes;
}

Task<S3Result<std::size_t>> Incoming::receive(MutableBytes into) {
    ASSERT(!into.empty());
    if (chunked_left_) {
        auto chunked = co_await receive_chunked(into);
        co_return chunked;
    }
    if (raw_left_ == 0) co_return std::size_t{0};
    const std::size_t held_bytes = take_held(into);
    if (held_bytes > 0) co_return held_bytes;
    const MutableBytes wanted = into.first(std::min<std::uint64_t>(into.size(), raw_left_));
    CO_TRY_ASSIGN(const std::size_t bytes, co_await read_stream(wanted));
    raw_left_ -= bytes;
    co_return bytes;
}

Task<S3Status> Incoming::fill() {
    move_held(head_bytes_);
    const MutableBytes rest = buffer_.span().subspan(end_);
    if (rest.empty()) {
        co_return S3Status(S3Error::bad_request, "A line of the chunked body is too long.");
    }
    CO_TRY_ASSIGN(const std::size_t bytes, co_await read_stream(rest));
    end_ += bytes;
    co_return S3Status();
}

Task<S3Result<std::size_t>> Incoming::receive_chunked(MutableBytes into) {
    while (true) {
        const Bytes raw = held();
        CO_TRY_ASSIGN(const HeadReader::Progress progress, head_.dechunk(raw, into));
        begin_ += progress.consumed_bytes;
        chunked_left_ = !head_.chunked_done();
        if (progress.produced_bytes > 0) co_return progress.produced_bytes;
        if (!chunked_left_) co_return std::size_t{0};
        // Nothing came of what is there, so more is needed, behind it in one piece.
        CO_TRY(co_await fill());
    }
}

Task<S3Result<MutableBytes>> Incoming::receive_whole(std::size_t bytes_max,
                                                     const Inspect* inspect) {
    if (chunked_left_) {
        auto unknown = co_await receive_unknown(bytes_max);
        co_return unknown;
    }
    auto known = co_await receive_known(inspect);
    co_return known;
}

Task<S3Result<MutableBytes>> Incoming::receive_known(const Inspect* inspect) {
    const auto size = static_cast<std::size_t>(raw_left_);
    if (begin_ + size <= buffer_.size()) {
        // In place, behind the head, whose views stay as they are.
        while (end_ - begin_ < size) {
            const MutableBytes so_far = buffer_.span().subspan(begin_, end_ - begin_);
            if (*inspect) CO_TRY((*inspect)(so_far));
            const MutableBytes rest = buffer_.span().subspan(end_);
            CO_TRY_ASSIGN(const std::size_t bytes, co_await read_stream(rest));
            end_ += bytes;
        }
        const MutableBytes whole = buffer_.span().subspan(begin_, size);
        begin_ += size;
        raw_left_ = 0;
        co_return whole;
    }
    body_ = Buffer(size);
    std::size_t filled = 0;
    while (filled < size) {
        const MutableBytes so_far = body_.span().first(filled);
        if (*inspect && !something_received()) CO_TRY((*inspect)(so_far));
        const MutableBytes rest = body_.span().subspan(filled);
        CO_TRY_ASSIGN(const std::size_t bytes, co_await receive(rest));
        filled += bytes;
    }
    co_return body_.span();
}

Task<S3Result<MutableBytes>> Incoming::receive_unknown(std::size_t bytes_max) {
    body_ = Buffer(kBufferBytes);
    std::size_t filled = 0;
    while (chunked_left_) {
        if (filled == body_.size()) {
            if (filled > bytes_max) co_return S3Error::entity_too_large;
            Buffer larger(2 * filled);
            std::memcpy(larger.data(), body_.data(), filled);
            body_ = std::move(larger);
        }
        const MutableBytes rest = body_.span().subspan(filled);
        CO_TRY_ASSIGN(const std::size_t bytes, co_await receive(rest));
        filled += bytes;
    }
    if (filled > bytes_max) co_return S3Error::entity_too_large;
    co_return body_.span().first(filled);
}

Task<bool> Incoming::drain() {
    if (raw_left_ > limits_.drain_bytes) co_return false;
    Buffer waste(kBufferBytes);
    std::uint64_t drained = 0;
    while (body_left()) {
        auto bytes = co_await receive(waste.span());
        if (!bytes.ok()) co_return false;
        drained += *bytes;
        if (drained > limits_.drain_bytes) co_return false;
    }
    co_return true;
}

}  // namespace s3api
