#include <algorithm>
#include <cstdint>
#include <cstring>

#include "nfs/rpc/call.h"
#include "nfs/rpc/record.h"
#include "nfs/xdr/block_pool.h"
#include "objstore/base/assert.h"

// A connection's stream, cut anywhere: the first byte says how. What comes out must not depend on
// the cuts, and never be longer than what went in.
namespace {

constexpr std::size_t kRecordBytesMax = 64 * 1024;

struct Seen {
    std::size_t records = 0;
    std::size_t bytes = 0;
    bool failed = false;
    bool operator==(const Seen&) const = default;
};

Seen run(nfs::BlockPool& pool, objstore::Bytes stream, std::size_t piece_bytes) {
    nfs::RecordWindow window(pool, kRecordBytesMax);
    Seen seen;
    while (!stream.empty()) {
        const auto space = window.space();
        ASSERT(!space.empty());
        const std::size_t now = std::min({stream.size(), space.size(), piece_bytes});
        std::memcpy(space.data(), stream.data(), now);
        stream = stream.subspan(now);
        window.received(now);
        while (true) {
            const auto record = window.next();
            if (!record.ok()) {
                seen.failed = true;
                return seen;
            }
            if (!record->has_value()) break;
            ASSERT((*record)->bytes.size() <= kRecordBytesMax);
            ++seen.records;
            seen.bytes += (*record)->bytes.size();
            const auto call = nfs::parse_call((*record)->bytes);
            ASSERT(call.call.args.size() <= (*record)->bytes.size());
        }
        ASSERT(pool.lent_bytes() <= 2 * pool.large_bytes());
    }
    return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    nfs::BlockPool pool({.small_bytes = 8 * 1024, .large_bytes = 80 * 1024});
    const objstore::Bytes stream(reinterpret_cast<const std::byte*>(data) + 1, size - 1);
    const Seen whole = run(pool, stream, SIZE_MAX);
    const Seen cut = run(pool, stream, std::size_t{1} + data[0]);
    ASSERT(whole == cut);
    ASSERT(whole.bytes <= stream.size());
    return 0;
}
