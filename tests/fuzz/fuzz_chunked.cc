#include <algorithm>
#include <cstdint>
#include <string>

#include "objstore/base/assert.h"
#include "s3api/auth/payload.h"

using namespace s3api;
using objstore::Bytes;

namespace {

struct Outcome {
    bool ok = false;
    std::string payload;
    std::size_t consumed_bytes = 0;
    std::size_t trailers = 0;
    bool operator==(const Outcome&) const = default;
};

Outcome decode(Payload kind, std::uint64_t size_bytes, Bytes raw, std::size_t piece_bytes) {
    PayloadPromise promise;
    promise.kind = kind;
    promise.signing.amz_date = "20130524T000000Z";
    PayloadDecoder decoder(promise, size_bytes, "x-amz-checksum-crc32, x-amz-checksum-sha256");
    Outcome out;
    const bool whole = !is_streaming(kind);
    // A whole body is never given more than its length.
    if (whole) raw = raw.first(std::min<std::uint64_t>(raw.size(), size_bytes));
    while (!raw.empty() && !decoder.done()) {
        const Bytes piece = raw.first(std::min(piece_bytes, raw.size()));
        const auto step = decoder.step(piece);
        if (!step.ok()) return out;
        ASSERT(step->consumed_bytes > 0);
        ASSERT(step->consumed_bytes <= piece.size());
        ASSERT(step->payload.size() <= step->consumed_bytes);
        out.payload += objstore::as_text(step->payload);
        out.consumed_bytes += step->consumed_bytes;
        raw = raw.subspan(step->consumed_bytes);
    }
    ASSERT(out.payload.size() == decoder.given_bytes());
    ASSERT(out.payload.size() <= size_bytes);
    out.ok = decoder.end().ok();
    ASSERT(!out.ok || out.payload.size() == size_bytes);
    out.trailers = decoder.trailers().all().size();
    return out;
}

}  // namespace

// The first byte chooses the kind of body, the second its announced length; the rest is the body.
// What comes out must not depend on how it comes in.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const auto kind = static_cast<Payload>(data[0] % 5);
    const std::uint64_t length = data[1] == 255 ? ~std::uint64_t{0} : data[1];
    const Bytes raw = Bytes(reinterpret_cast<const std::byte*>(data), size).subspan(2);
    const Outcome at_once = decode(kind, length, raw, raw.size());
    const Outcome by_byte = decode(kind, length, raw, 1);
    ASSERT(at_once.ok == by_byte.ok);
    ASSERT(!at_once.ok || at_once == by_byte);
    return 0;
}
