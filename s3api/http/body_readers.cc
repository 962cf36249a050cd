#include "s3api/http/body_readers.h"

#include <algorithm>
#include <cstring>
#include <limits>

namespace s3api {

namespace {

S3Status too_long() {
    return S3Status(S3Error::invalid_request, "The body is longer than announced.");
}

}  // namespace

using objstore::Bytes;
using objstore::MutableBytes;
using objstore::Result;
using objstore::Status;

S3Result<std::string> read_text(BodyReader& body, std::size_t bytes_max) {
    if (body.size_bytes() > bytes_max) return S3Error::max_message_length_exceeded;
    std::string text(static_cast<std::size_t>(body.size_bytes()), 0);
    std::size_t filled = 0;
    while (filled < text.size()) {
        const MutableBytes rest{reinterpret_cast<std::byte*>(text.data()) + filled,
                                text.size() - filled};
        TRY_ASSIGN(const std::size_t bytes, body.read(rest));
        if (bytes == 0) return S3Error::incomplete_body;
        filled += bytes;
    }
    // Nothing is taken as read before it was checked, be it of no bytes.
    if (!body.ended()) TRY(body.read({}).error());
    if (!body.ended()) return S3Error::incomplete_body;
    return text;
}

Status DecodingReader::fail(S3Status failure) {
    ASSERT(!failure.ok());
    if (failure_.ok()) failure_ = std::move(failure);
    return Status::invalid_argument("body: " + std::string(failure_.message()));
}

// Moves the payload together at the front, which for a body without framing moves nothing.
S3Status MemoryBody::look(MutableBytes received) {
    while (looked_at_bytes_ < received.size() && !decoder_.done()) {
        TRY_ASSIGN(const PayloadDecoder::Step step,
                   decoder_.step(Bytes(received).subspan(looked_at_bytes_)));
        std::byte* const to = received.data() + payload_bytes_;
        if (to != step.payload.data() && !step.payload.empty()) {
            std::memmove(to, step.payload.data(), step.payload.size());
        }
        payload_bytes_ += step.payload.size();
        looked_at_bytes_ += step.consumed_bytes;
    }
    return {};
}

S3Status MemoryBody::check() {
    if (!failure_.ok()) return failure_;
    if (checked_) return {};
    TRY(look(raw_));
    TRY(decoder_.end());
    if (looked_at_bytes_ < raw_.size()) return too_long();
    left_ = Bytes(raw_).first(payload_bytes_);
    checked_ = true;
    return {};
}

Result<std::size_t> MemoryBody::read(MutableBytes into) {
    if (S3Status checked = check(); !checked.ok()) return fail(std::move(checked));
    const std::size_t bytes = std::min(into.size(), left_.size());
    if (bytes > 0) std::memcpy(into.data(), left_.data(), bytes);
    left_ = left_.subspan(bytes);
    return bytes;
}

Bytes MemoryBody::take_in_memory() {
    if (S3Status checked = check(); !checked.ok()) {
        (void)fail(std::move(checked)).ok();
        return {};
    }
    return std::exchange(left_, {});
}

PipeBody::PipeBody(BodyPipe& pipe,
                   PayloadPromise promise,
                   std::uint64_t size_bytes,
                   std::string_view trailer_names)
    : DecodingReader(std::move(promise), size_bytes, trailer_names), pipe_(pipe) {
    if (decoder_.in_payload()) pipe_.want(std::numeric_limits<std::size_t>::max());
}

// Takes the next piece from the pipe; gives how much of it was payload.
S3Result<std::size_t> PipeBody::step(MutableBytes into) {
    const bool last = decoder_.given_bytes() == size_bytes_;
    TRY_ASSIGN(const auto there, pipe_.readable(decoder_.in_payload() ? into.size() : 1));
    if (!there) {
        dry_ = true;
        return std::size_t{0};
    }
    Bytes raw = *there;
    if (raw.empty()) {
        TRY(decoder_.end());
        return std::size_t{0};
    }
    // What the decoder gives must fit. Framing only makes the payload shorter than its raw bytes.
    if (!last) raw = raw.first(std::min(raw.size(), into.size()));
    TRY_ASSIGN(const PayloadDecoder::Step step, decoder_.step(raw));
    if (!step.payload.empty()) std::memcpy(into.data(), step.payload.data(), step.payload.size());
    pipe_.consume(step.consumed_bytes);
    return step.payload.size();
}

Result<std::size_t> PipeBody::read(MutableBytes into) {
    if (!failure_.ok()) return fail(failure_);
    std::size_t filled = 0;
    dry_ = false;
    // Beyond the last byte of the payload lie signatures and trailers.
    while (!dry_ && !decoder_.done() &&
           (filled < into.size() || decoder_.given_bytes() == size_bytes_)) {
        auto bytes = step(into.subspan(filled));
        if (!bytes.ok()) return fail(std::move(bytes).error());
        filled += *bytes;
    }
    if (decoder_.done() && !ended_) {
        if (S3Status end = check_end(); !end.ok()) return fail(std::move(end));
    }
    return filled;
}

S3Status PipeBody::check_end() {
    TRY_ASSIGN(const auto rest, pipe_.readable(1));
    if (!rest) return {};  // the end is still to come
    if (!rest->empty()) return too_long();
    ended_ = true;
    return {};
}

Result<std::size_t> UnreadBody::read(MutableBytes) {
    return Status::unsupported("the body has not been read yet");
}

}  // namespace s3api
