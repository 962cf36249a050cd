#pragma once

#include <cstdint>
#include <string_view>

#include "nfs/xdr/endian.h"
#include "nfs/xdr/gather.h"

namespace nfs {

// Encodes XDR at the end of a Gather, which must outlive this.
class Writer final {
public:
    explicit Writer(Gather& out) : out_(out) {}

    void u32(std::uint32_t value) { store_u32(out_.extend(4).data(), value); }
    void u64(std::uint64_t value) { store_u64(out_.extend(8).data(), value); }
    void boolean(bool value) { u32(value ? 1 : 0); }
    void zeros(std::size_t words);
    // Copies the bytes and pads them.
    void fixed(objstore::Bytes bytes);
    // Length, copied bytes, padding.
    void opaque(objstore::Bytes bytes);
    void text(std::string_view value) { opaque(objstore::as_bytes(value)); }
    // Length, lent bytes, padding.
    void opaque(Payload payload);

    Gather& out() { return out_; }

private:
    Gather& out_;
};

}  // namespace nfs
