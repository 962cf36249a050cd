#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "objstore/base/bytes.h"
#include "objstore/base/status.h"
#include "s3api/base/error.h"
#include "s3api/base/uri.h"

namespace s3api {

// The decoded body of a request: aws-chunked framing is gone, signatures, hashes and lengths are
// checked on the way. Threads: one worker at a time. Lives as long as its request.
class BodyReader {
public:
    virtual ~BodyReader() = default;

    // Fills `into` as far as bytes are there; never waits for the client. Fewer, and ended() is
    // false: more will come; only an Intake sees that, all other ops get bodies that are whole.
    // After an error all further reads fail; ops simply return: the server answers with what the
    // body has to say (failure()) in place of the op's own error.
    virtual objstore::Result<std::size_t> read(objstore::MutableBytes into) = 0;

    // All has been given, and everything that can be checked has been: length, payload hash, chunk
    // and trailer signatures. So who sees this may commit, and nobody else.
    virtual bool ended() const = 0;
    // A read would give nothing yet. May have changed by the time it is told.
    virtual bool starved() const { return false; }

    // Decoded bytes in all. Always known when an op runs: requests without a length are refused.
    virtual std::uint64_t size_bytes() const = 0;

    // The rest of the body when all of it lies in memory, already checked, and no read is needed;
    // empty when it does not (or nothing is left). It counts as read. Valid with the request.
    virtual objstore::Bytes take_in_memory() { return {}; }

    // What went wrong with the body, in S3's terms. Ok while nothing did.
    virtual S3Status failure() const = 0;

    // Trailing headers (x-amz-checksum-...), complete once the last byte was read.
    virtual const Headers& trailers() const = 0;
};

// A body of text, such as XML. max_message_length_exceeded: over `bytes_max`.
S3Result<std::string> read_text(BodyReader& body, std::size_t bytes_max);

}  // namespace s3api
