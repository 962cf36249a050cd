#include "fs/vfs/extent_steps.h"

#include <algorithm>

namespace fs {

objstore::Result<std::uint64_t> step_end(objstore::Namespace& names,
                                         objstore::InodeId inode,
                                         Range range) {
    TRY_ASSIGN(const auto map, names.extents(inode, range.from, kStepExtents));
    if (map.extents.size() < kStepExtents) return range.to;
    return std::min(range.to, map.extents.back().logical_offset);
}

}  // namespace fs
