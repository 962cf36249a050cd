#pragma once

#include "fs/vfs/dirty_ranges.h"
#include "objstore/meta/meta_store.h"

namespace fs {

// About how many extents one transaction takes or drops: it is not to grow with the file.
inline constexpr std::size_t kStepExtents = 1000;

// Where a transaction on a range of a file should end: behind so many extents, or with the range.
objstore::Result<std::uint64_t> step_end(objstore::Namespace& names,
                                         objstore::InodeId inode,
                                         Range range);

}  // namespace fs
