#include "objstore/base/bytes.h"

#include <cstdlib>
#include <new>

#include <fmt/format.h>

namespace objstore {

std::string to_hex(Bytes bytes) {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    text.reserve(bytes.size() * 2);
    for (const std::byte b : bytes) {
        const auto value = std::to_integer<unsigned>(b);
        text += kDigits[value >> 4];
        text += kDigits[value & 15];
    }
    return text;
}

std::string to_hex(std::uint64_t value) {
    return fmt::format("{:016x}", value);
}

Buffer::Buffer(std::size_t size_bytes) : size_(size_bytes) {
    if (size_bytes == 0) return;
    void* p = std::aligned_alloc(kBlockBytes, round_up(size_bytes, kBlockBytes));
    if (p == nullptr) throw std::bad_alloc();
    data_.reset(static_cast<std::byte*>(p));
}

void Buffer::Free::operator()(std::byte* p) const {
    std::free(p);
}

}  // namespace objstore
