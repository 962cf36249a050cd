#pragma once

#include <cstdint>
#include <string_view>

#include "objstore/base/bytes.h"

namespace nfs {

using objstore::Bytes;
using objstore::MutableBytes;

// Decodes XDR (RFC 4506) from one record. Never reads outside it, never allocates: what it returns
// as bytes or text lies in the record. The first error sticks, every later read gives zero or
// nothing, so a decoder reads all its fields and asks `ok` once, before it acts on any of them.
// Every length is checked against what is left and against the protocol's maximum.
class Reader final {
public:
    explicit Reader(Bytes record) : rest_(record) {}

    std::uint32_t u32();
    std::uint64_t u64();
    // 0 or 1; anything else is an error.
    bool boolean();
    // A value of an enum whose members are first … last without gaps.
    std::uint32_t enumeration(std::uint32_t first, std::uint32_t last);
    // Exactly `size_bytes`, and the padding behind them.
    Bytes fixed(std::size_t size_bytes);
    // A length, at most `size_bytes_max`, that many bytes and padding.
    Bytes opaque(std::size_t size_bytes_max);
    std::string_view text(std::size_t size_bytes_max);
    // The length of an array of at most `count_max` elements that take `element_bytes_min` each.
    std::uint32_t count(std::uint32_t count_max, std::size_t element_bytes_min);

    bool ok() const { return ok_; }
    std::size_t remaining() const { return rest_.size(); }
    // What has not been read yet; nothing after an error.
    Bytes rest() const { return rest_; }

private:
    void fail();

    Bytes rest_;
    bool ok_ = true;
};

}  // namespace nfs
