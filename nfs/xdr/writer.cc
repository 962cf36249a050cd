#include "nfs/xdr/writer.h"

#include <cstring>

namespace nfs {

void Writer::zeros(std::size_t words) {
    const auto space = out_.extend(4 * words);
    if (!space.empty()) std::memset(space.data(), 0, space.size());
}

void Writer::fixed(objstore::Bytes bytes) {
    if (bytes.empty()) return;
    const auto space = out_.extend(padded(bytes.size()));
    std::memset(space.data() + space.size() - 4, 0, 4);
    std::memcpy(space.data(), bytes.data(), bytes.size());
}

void Writer::opaque(objstore::Bytes bytes) {
    u32(static_cast<std::uint32_t>(bytes.size()));
    fixed(bytes);
}

void Writer::opaque(Payload payload) {
    const std::size_t size_bytes = payload.bytes.size();
    u32(static_cast<std::uint32_t>(size_bytes));
    out_.lend(std::move(payload));
    const auto padding = out_.extend(padded(size_bytes) - size_bytes);
    if (!padding.empty()) std::memset(padding.data(), 0, padding.size());
}

}  // namespace nfs
