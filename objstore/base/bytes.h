#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "objstore/base/assert.h"

namespace objstore {

static_assert(std::endian::native == std::endian::little, "formats are read by plain copies");

using Bytes = std::span<const std::byte>;
using MutableBytes = std::span<std::byte>;

inline constexpr std::size_t kBlockBytes = 4096;  // what all stored structures are aligned to
inline constexpr std::size_t kKiB = 1024;
inline constexpr std::size_t kMiB = 1024 * kKiB;

inline Bytes as_bytes(std::string_view text) {
    return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}
inline std::string_view as_text(Bytes bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

template <typename T>
constexpr T round_up(T value, T multiple) {
    return (value + multiple - 1) / multiple * multiple;
}

// Reads a little-endian integer or packed struct at the start of `bytes`.
template <typename T>
T load(Bytes bytes) {
    static_assert(std::is_trivially_copyable_v<T>);
    ASSERT(bytes.size() >= sizeof(T));
    T value;
    std::memcpy(&value, bytes.data(), sizeof(T));
    return value;
}
template <typename T>
void store(MutableBytes bytes, const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    ASSERT(bytes.size() >= sizeof(T));
    std::memcpy(bytes.data(), &value, sizeof(T));
}

std::string to_hex(Bytes bytes);
std::string to_hex(std::uint64_t value);  // 16 digits

// A block of memory, 4 KiB aligned, not initialised. Moves, never copies.
class Buffer final {
public:
    Buffer() = default;
    explicit Buffer(std::size_t size_bytes);

    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }
    std::byte* data() { return data_.get(); }
    const std::byte* data() const { return data_.get(); }
    MutableBytes span() { return {data_.get(), size_}; }
    Bytes span() const { return {data_.get(), size_}; }

private:
    struct Free {
        void operator()(std::byte* p) const;
    };
    std::unique_ptr<std::byte[], Free> data_;
    std::size_t size_ = 0;
};

}  // namespace objstore
