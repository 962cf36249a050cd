#include <algorithm>
#include <cstdint>

#include "objstore/base/assert.h"
#include "objstore/disk/label.h"
#include "objstore/erasure/checksum.h"

using objstore::Bytes;
using objstore::kLabelBytes;

// A label is read from whatever directory the operator names.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes bytes(reinterpret_cast<const std::byte*>(data), size);
    const auto rejected = objstore::parse_label(bytes);

    // Once more as a label of the right length and checksum, which no fuzzer would guess.
    objstore::Buffer label(kLabelBytes);
    std::ranges::fill(label.span(), std::byte{0});
    std::ranges::copy(bytes.first(std::min(size, kLabelBytes - 4)), label.data());
    objstore::store(label.span().subspan(kLabelBytes - 4),
                    objstore::crc32c(label.span().first(kLabelBytes - 4)));
    const auto parsed = objstore::parse_label(label.span());
    if (!parsed) return 0;
    const objstore::DiskLabelBytes again = objstore::to_bytes(*parsed);
    const auto reread = objstore::parse_label(std::as_bytes(std::span(&again, 1)));
    ASSERT(reread.ok());
    ASSERT(*reread == *parsed);
    return 0;
}
