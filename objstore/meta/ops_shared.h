#pragma once

#include <span>
#include <vector>

#include "objstore/base/status.h"
#include "objstore/meta/tables.h"

// Who names which stored bytes: live counts of volumes, holders of shared bytes, inline rows.
// The rule: an extent without `shared` alone names its bytes, and is of the inode that is their
// owner in the stripe's header; with it, it has a SharedRow of exactly its range, and so has every
// other extent that names one of them.
namespace objstore {

inline constexpr std::uint64_t kFileBytesMax = std::uint64_t{INT64_MAX};
inline constexpr std::size_t kInlineBytesMax = 64 * kKiB;

// Who names extents: an inode, or a part of an upload under the upload's inode.
struct Holder {
    InodeId inode = 0;
    std::uint64_t base = 0;  // of logical offsets in the holder's rows; part_offset(number, 0)
    std::uint64_t generation = 0;  // of its content, for new inline rows
};

// Enters the extent's SharedRow, or erases it. Nothing for one that is not shared.
void enter_holder(Tables& tables, const Holder& holder, const Extent& extent);
void erase_holder(Tables& tables, const Holder& holder, const Extent& extent);

// New bytes become named: live counts move, inline rows are made. In order of logical offsets.
// invalid_argument: extents that overlap, are no stripes or of no known volume; inline bytes over
// 64 KiB; beyond the largest file.
Result<std::vector<Extent>> name_content(Tables& tables,
                                         const Holder& holder,
                                         const NewContent& content);

// The source's extents in the range, as those of the target that will hold them, and which the
// caller enters; the source's own are marked and entered. conflict: not that generation or ETag.
// invalid_argument (invalid_range): beyond its end.
Result<std::vector<Extent>> share_range(Tables& tables, const CloneRange& range);

// Whether one of the ranges is of an inode and has more than kSharedExtentsMax extents.
Result<bool> is_too_much(Tables& tables, const std::vector<CloneRange>& ranges);

// The extents, or parts of them, are named no longer: their rows are erased and the holder's extent
// map is up to date. What nobody else names becomes garbage.
Status release(Tables& tables, std::vector<Extent> dropped);

// Those extents of the row's own holder that name some of its bytes, in the holder's rows' offsets.
Result<std::vector<Extent>> extents_of_row(Tables& tables, const InlineHead& row);

}  // namespace objstore
