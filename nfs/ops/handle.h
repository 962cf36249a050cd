#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "nfs/rpc/siphash.h"
#include "objstore/base/bytes.h"
#include "objstore/base/extent.h"

namespace nfs {

// What a file handle says. Valid after a restart and on every node that knows the secret.
struct FileHandle {
    // The directory inode that was mounted: the root, or a bucket. The handle is good only where
    // that is exported.
    objstore::InodeId exported = 0;
    objstore::InodeId inode = 0;
    bool operator==(const FileHandle&) const = default;
};

// Makes and checks file handles: 32 bytes (what MOUNT version 1 has room for), little-endian.
//     0 u8 version = 1   1 7 bytes zero   8 u64 exported   16 u64 inode
//    24 u64 SipHash-2-4 of the bytes before
// No generation: inode ids are never used again. The hash keeps a client from reaching, by made-up
// handles, what its export does not show. Threads: any.
class HandleCodec final {
public:
    static constexpr std::size_t kBytes = 32;
    using Encoded = std::array<std::byte, kBytes>;

    // `secret` is the deployment's: handles live as long as it does.
    explicit HandleCodec(const SipKey& secret) : secret_(secret) {}

    Encoded encode(const FileHandle& handle) const;
    // Nothing when we did not make it.
    std::optional<FileHandle> decode(objstore::Bytes bytes) const;

private:
    const SipKey secret_;
};

}  // namespace nfs
