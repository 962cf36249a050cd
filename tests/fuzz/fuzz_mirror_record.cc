#include <algorithm>
#include <cstdint>

#include "objstore/base/assert.h"
#include "objstore/erasure/checksum.h"
#include "objstore/mirror/record.h"

using objstore::Bytes;
using objstore::kMirrorSlotBytes;

// A record is read from every disk at each start.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes bytes(reinterpret_cast<const std::byte*>(data), size);
    const auto rejected = objstore::parse_mirror_record(bytes);

    // Once more with the right length and checksum, which no fuzzer would guess.
    objstore::Buffer slot(kMirrorSlotBytes);
    std::ranges::fill(slot.span(), std::byte{0});
    std::ranges::copy(bytes.first(std::min(size, kMirrorSlotBytes - 4)), slot.data());
    objstore::store(slot.span().subspan(kMirrorSlotBytes - 4),
                    objstore::crc32c(slot.span().first(kMirrorSlotBytes - 4)));
    const auto parsed = objstore::parse_mirror_record(slot.span());
    if (!parsed) return 0;
    const objstore::MirrorRecordBytes again = objstore::to_bytes(*parsed);
    const auto reread = objstore::parse_mirror_record(std::as_bytes(std::span(&again, 1)));
    ASSERT(reread.ok());
    ASSERT(*reread == *parsed);
    return 0;
}
