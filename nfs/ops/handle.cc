#include "nfs/ops/handle.h"

#include <type_traits>

namespace nfs {

namespace {

constexpr std::uint64_t kVersion = 1;  // and seven zeros

struct Wire {
    std::uint64_t version = kVersion;
    std::uint64_t exported = 0;
    std::uint64_t inode = 0;
    std::uint64_t mac = 0;
};
static_assert(sizeof(Wire) == HandleCodec::kBytes);
static_assert(std::has_unique_object_representations_v<Wire>);

std::uint64_t mac_of(const SipKey& secret, const Wire& wire) {
    const auto bytes = std::as_bytes(std::span(&wire, 1));
    return siphash(secret, bytes.first(offsetof(Wire, mac)));
}

}  // namespace

HandleCodec::Encoded HandleCodec::encode(const FileHandle& handle) const {
    ASSERT(handle.inode != 0);
    Wire wire;
    wire.exported = handle.exported;
    wire.inode = handle.inode;
    wire.mac = mac_of(secret_, wire);
    Encoded encoded;
    objstore::store(encoded, wire);
    return encoded;
}

std::optional<FileHandle> HandleCodec::decode(objstore::Bytes bytes) const {
    if (bytes.size() != kBytes) return std::nullopt;
    const Wire wire = objstore::load<Wire>(bytes);
    if (wire.mac != mac_of(secret_, wire)) return std::nullopt;
    if (wire.version != kVersion || wire.inode == 0) return std::nullopt;
    return FileHandle{wire.exported, wire.inode};
}

}  // namespace nfs
