#pragma once

#include "objstore/meta/byte_ranges.h"
#include "objstore/meta/meta_store.h"

namespace objstore {

// About how many extents one transaction takes or drops: it is not to grow with the file.
inline constexpr std::size_t kStepExtents = 1000;

// Where a transaction on a range of a file should end: behind so many extents, or with the range.
Result<std::uint64_t> step_end(Namespace& names, InodeId inode, ByteRange range);

}  // namespace objstore
