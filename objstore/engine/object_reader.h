#pragma once

#include "objstore/base/bytes.h"
#include "objstore/base/status.h"
#include "objstore/meta/meta_store.h"
#include "objstore/volume/volume_store.h"

namespace objstore {

// One object's content as it was when opened; superseded bytes are kept while it lives.
// Threads: one at a time.
class ObjectReader final {
public:
    struct Deps {
        Namespace& names;
        VolumeStore& volumes;
        Pins::Pin pin;
        bool held = false;  // the inode is held, and released with the reader
    };
    // `map` has the extents of [0, window_to).
    ObjectReader(Deps deps, Namespace::ContentMap map, std::uint64_t window_to);
    ~ObjectReader();

    const Inode& inode() const { return *map_.inode; }
    std::uint64_t size() const { return map_.inode->size; }
    // Fills `out` from `offset`; both within size(). Holes are zeros. Every byte was checked.
    // conflict: the file was changed in place since it was opened.
    Status read(std::uint64_t offset, MutableBytes out);
    // The same from memory and page cache; false: call read.
    bool try_read(std::uint64_t offset, MutableBytes out);

    // How much of the inode's extents a reader holds at once.
    static std::uint64_t first_window_bytes(const Inode& inode);

private:
    Status load_window(std::uint64_t offset);

    Namespace& names_;
    VolumeStore& volumes_;
    Pins::Pin pin_;
    Namespace::ContentMap map_;  // the extents of [window_from_, window_to_)
    std::uint64_t window_from_ = 0;
    std::uint64_t window_to_ = 0;
    bool held_ = false;
};

}  // namespace objstore
