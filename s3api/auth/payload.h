#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "objstore/base/bytes.h"
#include "s3api/auth/authenticator.h"
#include "s3api/auth/digest.h"
#include "s3api/base/error.h"
#include "s3api/base/uri.h"

namespace s3api {

// Takes the bytes of a body as they come and gives what they carry, once: the framing of
// aws-chunked is removed, and every hash and signature that was promised is checked. Costs no
// memory that grows with the body. Threads: one at a time.
class PayloadDecoder final {
public:
    static constexpr std::size_t kLineBytesMax = 1024;  // of a chunk's header or a trailer
    static constexpr std::size_t kTrailersMax = 16;

    // `size_bytes`: of the payload, from Content-Length or x-amz-decoded-content-length.
    // `trailer_names`: the header x-amz-trailer, empty when absent.
    PayloadDecoder(PayloadPromise promise,
                   std::uint64_t size_bytes,
                   std::string_view trailer_names);
    PayloadDecoder(const PayloadDecoder&) = delete;
    PayloadDecoder& operator=(const PayloadDecoder&) = delete;

    struct Step {
        std::size_t consumed_bytes = 0;  // of `raw`
        objstore::Bytes payload;         // a part of `raw`, within what was consumed
    };
    // Consumes at least one byte of `raw`, which must not be empty, or fails. Ends at done(): bytes
    // after that are the caller's to complain about. After an error call it no more.
    S3Result<Step> step(objstore::Bytes raw);

    // All of the payload has been given and everything promised holds.
    bool done() const { return state_ == State::done; }
    // What comes next is payload, not framing: worth waiting for more than a few bytes.
    bool in_payload() const { return state_ == State::whole || state_ == State::chunk_data; }
    // Payload bytes given so far.
    std::uint64_t given_bytes() const { return given_; }
    // Complete when done.
    const Headers& trailers() const { return trailers_; }
    // To be called when the raw bytes have ended (also when there never were any). Ok: done()
    // holds.
    S3Status end();

private:
    enum class State : std::uint8_t { whole, chunk_line, chunk_data, chunk_end, trailer, done };

    bool chunks_signed() const {
        return promise_.kind == Payload::streaming_signed ||
               promise_.kind == Payload::streaming_signed_trailer;
    }
    bool has_trailer() const {
        return promise_.kind == Payload::streaming_signed_trailer ||
               promise_.kind == Payload::streaming_unsigned_trailer;
    }
    S3Result<Step> step_whole(objstore::Bytes raw);
    S3Result<Step> step_chunk_data(objstore::Bytes raw);
    S3Result<Step> step_line(objstore::Bytes raw);
    S3Status on_line(std::string_view line);
    S3Status begin_chunk(std::string_view line);
    S3Status end_chunk();
    S3Status on_trailer(std::string_view line);
    S3Status end_trailers();
    bool all_trailers_came() const;
    S3Status finish_whole();
    S3Status check_signature(const std::string& to_sign, std::string_view claimed);

    PayloadPromise promise_;
    const std::uint64_t size_bytes_;
    const std::string trailer_names_;
    State state_;
    std::uint64_t given_ = 0;
    Sha256 hash_;  // of the whole body or of the chunk at hand; unused when nothing is signed
    std::uint64_t chunk_left_ = 0;
    bool last_chunk_ = false;
    std::string chunk_signature_;
    std::string line_;               // a line that has not come whole yet
    std::deque<std::string> texts_;  // what trailers_ views; a deque, so that they stay in place
    std::string signed_trailers_;    // "name:value\n" ... as the trailer's signature covers them
    std::string trailer_signature_;
    bool blank_seen_ = false;
    Headers trailers_;
};

}  // namespace s3api
