#include "objstore/meta/extent_steps.h"

#include <algorithm>

namespace objstore {

Result<std::uint64_t> step_end(Namespace& names, InodeId inode, ByteRange range) {
    TRY_ASSIGN(const auto map, names.extents(inode, range.from, kStepExtents));
    if (map.extents.size() < kStepExtents) return range.to;
    return std::min(range.to, map.extents.back().logical_offset);
}

}  // namespace objstore
