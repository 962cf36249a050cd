#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "objstore/net/stream.h"
#include "s3api/base/error.h"
#include "s3api/http/head_reader.h"
#include "s3api/http/limits.h"

namespace s3api {

// What a client sends: heads, and between them bodies. Memory: 16 KiB, and a small body while there
// is one. Errors are what to answer; after one the stream cannot be read any further. Threads: the
// stream's.
class Incoming final {
public:
    Incoming(objstore::Stream& stream, const ConnectionLimits& limits);
    Incoming(const Incoming&) = delete;
    Incoming& operator=(const Incoming&) = delete;

    // True: a head has come, and head() shows it until the next call. False: the client (or the
    // server, as it stops) is done. The body of the request before must have been taken.
    objstore::Task<S3Result<bool>> next_head();
    HeadReader& head() { return head_; }
    const HeadReader& head() const { return head_; }

    // Some of the body has not been taken yet.
    bool body_left() const { return raw_left_ > 0 || chunked_left_; }
    // What is known of its rest; nothing of one with chunked transfer encoding.
    std::uint64_t raw_left_bytes() const { return raw_left_; }
    bool something_received() const { return begin_ < end_; }

    // The next bytes of the body, at least one, or 0 at its end. request_timeout, incomplete_body.
    objstore::Task<S3Result<std::size_t>> receive(objstore::MutableBytes into);
    // The whole body, where it lies in memory until the next head; without a copy when it is short.
    // `inspect` (unless it is empty) sees what there is whenever more must be waited for, and may
    // refuse it. entity_too_large: one of unknown length turns out longer than `bytes_max`.
    using Inspect = std::function<S3Status(objstore::MutableBytes)>;
    objstore::Task<S3Result<objstore::MutableBytes>> receive_whole(std::size_t bytes_max,
                                                                   const Inspect* inspect);
    // Forgets the rest of the body, if it is not too long. False: the connection must close.
    objstore::Task<bool> drain();

private:
    static constexpr std::size_t kBufferBytes = 16 * objstore::kKiB;

    objstore::Task<S3Result<objstore::MutableBytes>> receive_known(const Inspect* inspect);
    objstore::Task<S3Result<objstore::MutableBytes>> receive_unknown(std::size_t bytes_max);
    objstore::Task<S3Result<std::size_t>> receive_chunked(objstore::MutableBytes into);
    objstore::Task<S3Status> fill();
    objstore::Task<S3Result<std::size_t>> read_stream(objstore::MutableBytes into);
    objstore::Bytes held() const { return buffer_.span().subspan(begin_, end_ - begin_); }
    std::size_t take_held(objstore::MutableBytes into);
    void move_held(std::size_t to);
    void begin_body();

    objstore::Stream& stream_;
    const ConnectionLimits& limits_;
    HeadReader head_;
    objstore::Buffer buffer_{kBufferBytes};
    std::size_t begin_ = 0;  // of what has been received and not taken
    std::size_t end_ = 0;
    std::size_t head_bytes_ = 0;  // at the front: what the request's views lie in
    objstore::Buffer body_;       // a whole body that is longer than the buffer
    std::uint64_t raw_left_ = 0;
    bool chunked_left_ = false;
    std::uint64_t progress_ = 0;  // since the deadline was set
};

}  // namespace s3api
