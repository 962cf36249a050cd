#pragma once

#include <vector>

#include "objstore/base/status.h"
#include "objstore/meta/ops_shared.h"
#include "objstore/meta/tables.h"

// The extents of one inode: embedded in its record up to kEmbeddedExtentsMax, else rows.
namespace objstore {

inline constexpr std::size_t kEmbeddedExtentsMax = 16;  // about 1 KiB

// A change of one inode's extents; nobody else edits them meanwhile. What it drops is released at
// the end, when it is known what took its place. Does not move the inode's `change` or generation.
class ContentEdit final {
public:
    ContentEdit(Tables& tables, const Inode& inode);

    // Nothing is named in [from, to) any more.
    Status cut(std::uint64_t from, std::uint64_t to);
    // Into a range where nothing is; named already (name_content, share_range).
    void insert(const Extent& extent);
    // One of the extents leaves; its bytes stay named, by whom the caller knows.
    void take(const Extent& extent);
    Status finish();

    // Those that touch the range, at most `limit`.
    Result<std::vector<Extent>> extents(std::uint64_t from,
                                        std::uint64_t to,
                                        std::size_t limit) const;

private:
    void erase(const Extent& extent);
    void put(const Extent& extent);

    Tables& tables_;
    const Holder holder_;
    bool in_table_;
    std::vector<Extent> embedded_;
    std::vector<Extent> dropped_;
};

// What a write brings.
struct ContentChange {
    const NewContent& content;
    const std::vector<CloneRange>& clones;
    std::uint64_t generation = 0;  // of the content that it makes
    bool replace_all = false;      // all that was there goes
    bool strange = false;          // the new stripes say that they are of another inode
};
// Puts new bytes over old ones, and gives the end of the last. invalid_argument: they overlap each
// other. Else as name_content and share_range.
Result<std::uint64_t> write_content(Tables& tables, InodeId id, const ContentChange& change);

// The object's list of parts; empty: none. Not a change of the inode to its users.
Status set_parts(Tables& tables, InodeId id, std::vector<ObjectPart> parts);

// Forgets an inode that has no name, its content and attributes.
Status erase_with_content(Tables& tables, InodeId id);

}  // namespace objstore
