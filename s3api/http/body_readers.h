#pragma once

#include <optional>

#include "s3api/auth/payload.h"
#include "s3api/http/body.h"
#include "s3api/http/body_pipe.h"

namespace s3api {

// What both readers share: the decoder's last word is the body's failure.
class DecodingReader : public BodyReader {
public:
    DecodingReader(PayloadPromise promise, std::uint64_t size_bytes, std::string_view trailer_names)
        : decoder_(std::move(promise), size_bytes, trailer_names), size_bytes_(size_bytes) {}

    std::uint64_t size_bytes() const override { return size_bytes_; }
    S3Status failure() const override { return failure_; }
    const Headers& trailers() const override { return decoder_.trailers(); }

protected:
    objstore::Status fail(S3Status failure);

    PayloadDecoder decoder_;
    const std::uint64_t size_bytes_;
    S3Status failure_;
};

// A body that lies in memory as a whole before an op reads it. It is checked at the first read, not
// before: on a worker, or wherever the op runs. What it is given is decoded in place.
class MemoryBody final : public DecodingReader {
public:
    using DecodingReader::DecodingReader;

    // Checks what has come so far, of which earlier looks have seen the front. Complaints come
    // early so, and where all of a body comes at once nobody looks.
    S3Status look(objstore::MutableBytes received);
    // All of it, which must outlive this.
    void complete(objstore::MutableBytes raw) { raw_ = raw; }

    objstore::Result<std::size_t> read(objstore::MutableBytes into) override;
    bool ended() const override { return checked_ && left_.empty(); }
    objstore::Bytes take_in_memory() override;

private:
    S3Status check();

    objstore::MutableBytes raw_;
    std::size_t looked_at_bytes_ = 0;  // of the raw body
    std::size_t payload_bytes_ = 0;    // decoded, at its front
    objstore::Bytes left_;
    bool checked_ = false;
};

// A body that is still coming in, through a pipe that must outlive this.
class PipeBody final : public DecodingReader {
public:
    PipeBody(BodyPipe& pipe,
             PayloadPromise promise,
             std::uint64_t size_bytes,
             std::string_view trailer_names);

    objstore::Result<std::size_t> read(objstore::MutableBytes into) override;
    bool ended() const override { return ended_; }
    bool starved() const override { return !ended_ && !pipe_.worth_reading(); }

private:
    S3Result<std::size_t> step(objstore::MutableBytes into);
    S3Status check_end();

    BodyPipe& pipe_;
    bool dry_ = false;  // what the pipe had was not enough, in this read
    bool ended_ = false;
};

// Stands for a body that has not been read yet, while an op's `fast` looks at the request.
class UnreadBody final : public BodyReader {
public:
    explicit UnreadBody(std::uint64_t size_bytes) : size_bytes_(size_bytes) {}

    objstore::Result<std::size_t> read(objstore::MutableBytes) override;
    bool ended() const override { return false; }
    std::uint64_t size_bytes() const override { return size_bytes_; }
    S3Status failure() const override { return {}; }
    const Headers& trailers() const override { return trailers_; }

private:
    const std::uint64_t size_bytes_;
    Headers trailers_;
};

}  // namespace s3api
