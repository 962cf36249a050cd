#pragma once

#include <memory>
#include <vector>

#include "objstore/base/bytes.h"
#include "objstore/base/status.h"
#include "objstore/volume/volume_store.h"

namespace objstore {

inline constexpr std::size_t kSmallContentBytes = 128 * kKiB;

// New bytes on their way to storage. Up to kSmallContentBytes they wait in memory, to share a
// stripe or the namespace's own sync with others; beyond that they stream into volumes while they
// arrive. Destroying it stores nothing anybody sees. Threads: one at a time. The store must outlive
// it.
class ContentWriter final {
public:
    // Whether the owner's inode is one that is yet to be made.
    enum class InodeIs : bool { there, fresh };
    // `owner`: recorded in stripe headers; extents get logical offsets from its offset.
    ContentWriter(VolumeStore& volumes,
                  Pins::Pin pin,
                  Owner owner,
                  std::uint64_t size_hint,
                  InodeIs inode_is = InodeIs::there);
    ~ContentWriter();

    // Room for the next bytes, never empty; then `advance` by how many were put there.
    Result<MutableBytes> space();
    Status advance(std::size_t size);
    // Copies.
    Status write(Bytes bytes);

    std::uint64_t size() const { return size_; }
    bool is_small() const { return stream_ == nullptr; }
    Bytes small_bytes() const { return Bytes(small_.data(), static_cast<std::size_t>(size_)); }
    const Owner& owner() const { return owner_; }
    // The id for the inode that the commit makes for these bytes; 0: not ours to say.
    InodeId fresh_inode() const { return inode_is_ == InodeIs::fresh ? owner_.inode : 0; }
    // Of streamed content: all synced. Once.
    Result<std::vector<Extent>> finish_stream();

private:
    void grow_small();
    Status start_stream();

    VolumeStore& volumes_;
    const Pins::Pin pin_;  // from the first stripe to the commit that names it
    const Owner owner_;
    const std::uint64_t size_hint_;
    const InodeIs inode_is_;
    std::uint64_t size_ = 0;
    Buffer small_;
    std::unique_ptr<VolumeStream> stream_;
};

}  // namespace objstore
