#include "nfs/xdr/reader.h"

#include "nfs/xdr/endian.h"

namespace nfs {

void Reader::fail() {
    ok_ = false;
    rest_ = {};
}

std::uint32_t Reader::u32() {
    if (rest_.size() < 4) {
        fail();
        return 0;
    }
    const std::uint32_t value = load_u32(rest_.data());
    rest_ = rest_.subspan(4);
    return value;
}

std::uint64_t Reader::u64() {
    if (rest_.size() < 8) {
        fail();
        return 0;
    }
    const std::uint64_t value = load_u64(rest_.data());
    rest_ = rest_.subspan(8);
    return value;
}

bool Reader::boolean() {
    return enumeration(0, 1) != 0;
}

std::uint32_t Reader::enumeration(std::uint32_t first, std::uint32_t last) {
    const std::uint32_t value = u32();
    if (value >= first && value <= last) return value;
    fail();
    return first;
}

Bytes Reader::fixed(std::size_t size_bytes) {
    // Compared before rounding up, which could wrap around.
    if (size_bytes > rest_.size() || padded(size_bytes) > rest_.size()) {
        fail();
        return {};
    }
    const Bytes found = rest_.first(size_bytes);
    rest_ = rest_.subspan(padded(size_bytes));
    return found;
}

Bytes Reader::opaque(std::size_t size_bytes_max) {
    const std::uint32_t size_bytes = u32();
    if (size_bytes > size_bytes_max) {
        fail();
        return {};
    }
    return fixed(size_bytes);
}

std::string_view Reader::text(std::size_t size_bytes_max) {
    return objstore::as_text(opaque(size_bytes_max));
}

std::uint32_t Reader::count(std::uint32_t count_max, std::size_t element_bytes_min) {
    const std::uint32_t count = u32();
    if (count <= count_max && count <= rest_.size() / element_bytes_min) return count;
    fail();
    return 0;
}

}  // namespace nfs
