#include "s3api/auth/payload.h"

#include <algorithm>
#include <utility>

#include "objstore/base/assert.h"
#include "objstore/base/number.h"

namespace s3api {

namespace {

using objstore::as_bytes;
using objstore::as_text;
using objstore::Bytes;

constexpr std::string_view kTrailerSignature = "x-amz-trailer-signature";
constexpr std::string_view kEmptyHash =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

S3Status bad_chunk(std::string_view what) {
    return S3Status(S3Error::invalid_request,
                    "The aws-chunked body is malformed: " + std::string(what) + ".");
}

bool list_has(std::string_view list, std::string_view name) {
    while (!list.empty()) {
        const std::size_t comma = std::min(list.find(','), list.size());
        if (equals_ignoring_case(trim(list.substr(0, comma)), name)) return true;
        list.remove_prefix(std::min(comma + 1, list.size()));
    }
    return false;
}

}  // namespace

PayloadDecoder::PayloadDecoder(PayloadPromise promise,
                               std::uint64_t size_bytes,
                               std::string_view trailer_names)
    : promise_(std::move(promise)),
      size_bytes_(size_bytes),
      trailer_names_(trailer_names),
      state_(is_streaming(promise_.kind) ? State::chunk_line : State::whole) {}

S3Status PayloadDecoder::end() {
    if (state_ == State::whole && given_ == size_bytes_) TRY(finish_whole());
    return done() ? S3Status() : S3Status(S3Error::incomplete_body);
}

S3Result<PayloadDecoder::Step> PayloadDecoder::step(Bytes raw) {
    ASSERT(!raw.empty());
    ASSERT(state_ != State::done);
    switch (state_) {
        case State::whole:
            return step_whole(raw);
        case State::chunk_data:
            return step_chunk_data(raw);
        case State::chunk_line:
        case State::chunk_end:
        case State::trailer:
            return step_line(raw);
        case State::done:
            break;
    }
    UNREACHABLE();
}

S3Result<PayloadDecoder::Step> PayloadDecoder::step_whole(Bytes raw) {
    ASSERT(given_ < size_bytes_);
    const Bytes payload = raw.first(std::min<std::uint64_t>(raw.size(), size_bytes_ - given_));
    given_ += payload.size();
    if (promise_.kind == Payload::hashed) hash_.update(payload);
    if (given_ == size_bytes_) TRY(finish_whole());
    return Step{payload.size(), payload};
}

S3Status PayloadDecoder::finish_whole() {
    if (promise_.kind == Payload::hashed && hash_.finish() != promise_.hash) {
        return S3Error::x_amz_content_sha256_mismatch;
    }
    state_ = State::done;
    return {};
}

S3Result<PayloadDecoder::Step> PayloadDecoder::step_chunk_data(Bytes raw) {
    ASSERT(chunk_left_ > 0);
    const Bytes payload = raw.first(std::min<std::uint64_t>(raw.size(), chunk_left_));
    if (chunks_signed()) hash_.update(payload);
    chunk_left_ -= payload.size();
    given_ += payload.size();
    if (chunk_left_ == 0) {
        TRY(end_chunk());
        state_ = State::chunk_end;
    }
    return Step{payload.size(), payload};
}

// Lines end with \n, and nearly always \r\n. One within `raw` is read where it lies.
S3Result<PayloadDecoder::Step> PayloadDecoder::step_line(Bytes raw) {
    const std::string_view text = as_text(raw);
    const std::size_t newline = text.find('\n');
    const std::size_t end = std::min(newline, text.size());
    if (line_.size() + end > kLineBytesMax) return bad_chunk("a line is too long");
    if (newline == std::string_view::npos) {
        line_ += text;
        return Step{text.size(), {}};
    }
    const bool in_place = line_.empty();
    if (!in_place) line_ += text.substr(0, end);
    std::string_view line = in_place ? text.substr(0, end) : std::string_view(line_);
    if (line.ends_with('\r')) line.remove_suffix(1);
    TRY(on_line(line));
    line_.clear();
    return Step{end + 1, {}};
}

S3Status PayloadDecoder::on_line(std::string_view line) {
    if (state_ == State::chunk_line) return begin_chunk(line);
    if (state_ == State::trailer) return on_trailer(line);
    ASSERT(state_ == State::chunk_end);
    if (!line.empty()) return bad_chunk("a chunk is longer than its size");
    state_ = last_chunk_ ? State::done : State::chunk_line;
    return {};
}

// "10000;chunk-signature=<64 digits>"; extensions that are not ours to know are not looked at. A
// chunk may be the whole body, as the SDKs for Go and Rust send it: nothing here grows with it.
S3Status PayloadDecoder::begin_chunk(std::string_view line) {
    const std::size_t semicolon = std::min(line.find(';'), line.size());
    const std::string_view digits = trim(line.substr(0, semicolon));
    const auto size = objstore::parse_number<std::uint64_t>(digits, 16);
    if (!size) return bad_chunk("a chunk size is not a hexadecimal number");
    chunk_left_ = *size;
    if (chunk_left_ > size_bytes_ - given_) {
        return bad_chunk("it is longer than x-amz-decoded-content-length");
    }
    if (chunks_signed()) {
        constexpr std::string_view kName = "chunk-signature=";
        std::string_view extension = line.substr(std::min(semicolon + 1, line.size()));
        extension = trim(extension);
        if (!extension.starts_with(kName)) return bad_chunk("a chunk has no signature");
        chunk_signature_ = std::string(extension.substr(kName.size()));
    }
    last_chunk_ = chunk_left_ == 0;
    state_ = State::chunk_data;
    if (!last_chunk_) return {};
    if (given_ != size_bytes_) return S3Error::incomplete_body;
    TRY(end_chunk());
    state_ = has_trailer() ? State::trailer : State::chunk_end;
    return {};
}

S3Status PayloadDecoder::end_chunk() {
    if (!chunks_signed()) return {};
    const ChunkSigning& signing = promise_.signing;
    std::string to_sign = "AWS4-HMAC-SHA256-PAYLOAD\n" + signing.amz_date + "\n" + signing.scope +
                          "\n" + signing.previous_signature + "\n";
    to_sign += kEmptyHash;
    to_sign += "\n" + to_hex(hash_.finish());
    return check_signature(to_sign, chunk_signature_);
}

S3Status PayloadDecoder::check_signature(const std::string& to_sign, std::string_view claimed) {
    std::string signature = to_hex(hmac_sha256(promise_.signing.key, as_bytes(to_sign)));
    if (!equal_in_constant_time(signature, claimed)) return S3Error::signature_does_not_match;
    promise_.signing.previous_signature = std::move(signature);
    return {};
}

S3Status PayloadDecoder::on_trailer(std::string_view line) {
    if (line.empty()) {
        // Some clients part the trailers from their signature by an empty line.
        const bool awaits = promise_.kind == Payload::streaming_signed_trailer &&
                            trailer_signature_.empty() && !trailers_.all().empty();
        const bool first = !std::exchange(blank_seen_, true);
        return awaits && first ? S3Status() : end_trailers();
    }
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0) return S3Error::malformed_trailer;
    const std::string name = lower(trim(line.substr(0, colon)));
    const std::string_view value = trim(line.substr(colon + 1));
    if (name == kTrailerSignature) {
        trailer_signature_ = std::string(value);
        return {};
    }
    const bool declared = list_has(trailer_names_, name);
    if (!declared || trailers_.has(name) || trailers_.all().size() == kTrailersMax) {
        return S3Error::malformed_trailer;
    }
    signed_trailers_ += name + ":" + std::string(value) + "\n";
    const std::string_view kept_name = texts_.emplace_back(name);
    const std::string_view kept_value = texts_.emplace_back(value);
    trailers_.add({kept_name, kept_value});
    return {};
}

bool PayloadDecoder::all_trailers_came() const {
    std::string_view rest = trailer_names_;
    while (!rest.empty()) {
        const std::size_t comma = std::min(rest.find(','), rest.size());
        const std::string_view name = trim(rest.substr(0, comma));
        if (!name.empty() && !trailers_.has(name)) return false;
        rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
    return true;
}

S3Status PayloadDecoder::end_trailers() {
    if (!all_trailers_came()) return S3Error::malformed_trailer;
    if (promise_.kind == Payload::streaming_signed_trailer) {
        const ChunkSigning& signing = promise_.signing;
        std::string to_sign = "AWS4-HMAC-SHA256-TRAILER\n" + signing.amz_date + "\n" +
                              signing.scope + "\n" + signing.previous_signature + "\n" +
                              to_hex(Sha256::of(as_bytes(signed_trailers_)));
        TRY(check_signature(to_sign, trailer_signature_));
    }
    state_ = State::done;
    return {};
}

}  // namespace s3api
