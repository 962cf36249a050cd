#include "objstore/meta/ops_shared.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "objstore/erasure/checksum.h"
#include "objstore/meta/byte_ranges.h"
#include "objstore/meta/ops_tree.h"

namespace objstore {

namespace {

constexpr std::size_t kHoldersFirst = 64;  // mostly one of the first covers all

ByteRange payload_of(const Extent& e) {
    return {e.payload_offset, e.payload_offset + e.length};
}

std::uint64_t stripe_end(const Extent& e) {
    return e.place + e.header_bytes + e.column_bytes;
}

SharedRow row_of(const Holder& holder, const Extent& e) {
    return {.volume = e.volume,
            .place = e.place,
            .inode = holder.inode,
            .logical_offset = holder.base + e.logical_offset,
            .payload_offset = e.payload_offset,
            .length = e.length};
}

// Bytes of these shared extents, all of one place, that no holder is left for.
Result<std::uint64_t> bytes_unheld(Tables& tables, std::span<const Extent> dropped) {
    std::vector<ByteRange> ranges;
    for (const Extent& e : dropped) {
        if (e.shared) ranges.push_back(payload_of(e));
    }
    if (ranges.empty()) return std::uint64_t{0};
    ranges = merged(std::move(ranges));
    const auto first = static_cast<std::uint32_t>(ranges.front().from);
    const Extent& at = dropped.front();
    for (std::size_t limit = kHoldersFirst;; limit = SIZE_MAX) {
        TRY_ASSIGN(const auto holders,
                   tables.shared(at.volume, at.place, first, ranges.back().to, limit));
        std::vector<ByteRange> covers;
        covers.reserve(holders.size());
        for (const SharedRow& row : holders) {
            covers.push_back({row.payload_offset, row.payload_offset + row.length});
        }
        const std::uint64_t bytes = uncovered_bytes(ranges, merged(std::move(covers)));
        if (bytes == 0 || holders.size() < limit) return bytes;
    }
}

// Erases the row when no extent names any byte of it.
Status release_row(Tables& tables, std::uint64_t id) {
    TRY_ASSIGN(const auto row, tables.inline_head(id));
    if (!row) return {};  // what is damaged can still be deleted
    TRY_ASSIGN(const auto holders, tables.shared(0, id, 0, row->size_bytes, 1));
    if (!holders.empty()) return {};
    TRY_ASSIGN(const auto own, extents_of_row(tables, *row));
    if (own.empty()) tables.erase_inline(id);
    return {};
}

Status release_stripe(Tables& tables, std::span<const Extent> dropped) {
    std::uint64_t bytes = 0;
    for (const Extent& e : dropped) {
        if (!e.shared) bytes += e.length;
    }
    TRY_ASSIGN(const std::uint64_t unheld, bytes_unheld(tables, dropped));
    bytes += unheld;
    const Extent& at = dropped.front();
    if (bytes > 0) tables.add_live(at.volume, -static_cast<std::int64_t>(bytes), stripe_end(at));
    return {};
}

bool same_place(const Extent& a, const Extent& b) {
    return a.kind == b.kind && a.volume == b.volume && a.place == b.place;
}

Status check_new(Tables& tables, const Extent& e) {
    if (e.kind != ExtentKind::stripe || e.length == 0) {
        return Status::invalid_argument("new extents lie in stripes and have bytes");
    }
    if (e.logical_offset > kFileBytesMax || e.length > kFileBytesMax - e.logical_offset) {
        return Status::invalid_argument("a file has 2^63 - 1 bytes at most", Why::too_large);
    }
    TRY_ASSIGN(const auto volume, tables.volume(e.volume));
    if (!volume) return Status::invalid_argument(fmt::format("no volume {:016x}", e.volume));
    return {};
}

Result<Extent> name_inline(Tables& tables,
                           const Holder& holder,
                           const NewContent::Inline& content) {
    const std::uint64_t size_bytes = content.bytes.size();
    if (size_bytes > kInlineBytesMax) {
        return Status::invalid_argument("inline bytes are 64 KiB at most", Why::too_large);
    }
    if (content.logical_offset > kFileBytesMax - size_bytes) {
        return Status::invalid_argument("a file has 2^63 - 1 bytes at most", Why::too_large);
    }
    const std::uint64_t id = tables.next_id();
    const std::uint32_t crc = crc32c(as_bytes(content.bytes));
    tables.put_inline({.id = id,
                       .inode = holder.inode,
                       .generation = holder.generation,
                       .logical_offset = holder.base + content.logical_offset,
                       .crc = crc,
                       .bytes = content.bytes});
    return Extent{.logical_offset = content.logical_offset,
                  .length = size_bytes,
                  .kind = ExtentKind::inline_data,
                  .has_crc = true,
                  .crc = crc,
                  .place = id};
}

// Marks the source's extents in the range as shared, and gives them whole.
Result<std::vector<Extent>> mark_shared(Tables& tables, const CloneRange& range) {
    const Holder holder{.inode = range.source};
    const std::uint64_t from = range.source_offset;
    const std::uint64_t to = from + range.length;
    std::vector<Extent> marked;
    TRY_ASSIGN(const Inode* source, tables.inode(range.source));
    if (source->extents_in_table) {
        TRY_ASSIGN(marked, tables.extents(range.source, from, to, SIZE_MAX));
        for (Extent& e : marked) {
            if (std::exchange(e.shared, true)) continue;
            enter_holder(tables, holder, e);
            tables.put_extent(range.source, e);
        }
        return marked;
    }
    const auto touches = [&](const Extent& e) { return e.logical_offset < to && e.end() > from; };
    const auto fresh = [&](const Extent& e) { return touches(e) && !e.shared; };
    if (std::any_of(source->extents.begin(), source->extents.end(), fresh)) {
        TRY_ASSIGN(Inode* const edited, edit_quietly(tables, range.source));
        for (Extent& e : edited->extents) {
            if (!fresh(e)) continue;
            e.shared = true;
            enter_holder(tables, holder, e);
        }
        source = edited;
    }
    std::copy_if(
        source->extents.begin(), source->extents.end(), std::back_inserter(marked), touches);
    return marked;
}

// The same for the extents of a part.
Result<std::vector<Extent>> mark_part_shared(Tables& tables,
                                             const UploadRow& upload,
                                             PartRow part,
                                             const CloneRange& range) {
    const Holder holder{.inode = upload.inode, .base = part_offset(part.number, 0)};
    const std::uint64_t to = range.source_offset + range.length;
    std::vector<Extent> marked;
    bool changed = false;
    for (Extent& e : part.extents) {
        if (e.logical_offset >= to || e.end() <= range.source_offset) continue;
        if (!std::exchange(e.shared, true)) {
            enter_holder(tables, holder, e);
            changed = true;
        }
        marked.push_back(e);
    }
    if (changed) tables.put_part(std::move(part));
    return marked;
}

Status check_range(const CloneRange& range, std::uint64_t source_size) {
    if (range.source_offset > source_size || range.length > source_size - range.source_offset) {
        return Status::invalid_argument("the range is beyond the end of the source",
                                        Why::invalid_range);
    }
    if (range.offset > kFileBytesMax - range.length) {
        return Status::invalid_argument("a file has 2^63 - 1 bytes at most", Why::too_large);
    }
    return {};
}

Result<std::vector<Extent>> share_inode(Tables& tables, const CloneRange& range) {
    TRY_ASSIGN(const Inode* source, tables.inode(range.source));
    if (!source->is_regular() && !source->is_directory()) {
        return Status::invalid_argument(fmt::format("inode {} has no content", range.source));
    }
    if (source->generation != range.source_generation) {
        return Status::conflict(fmt::format("inode {} has changed", range.source));
    }
    TRY(check_range(range, source->size));
    if (range.length == 0) return std::vector<Extent>();
    return mark_shared(tables, range);
}

Result<std::vector<Extent>> share_part(Tables& tables, const CloneRange& range) {
    TRY_ASSIGN(const auto upload, tables.upload(range.source));
    TRY_ASSIGN(auto part, tables.part(range.source, range.part));
    if (!upload || upload->bucket == 0 || !part || part->etag != range.part_etag) {
        return Status::conflict(fmt::format("part {} has changed", range.part));
    }
    TRY(check_range(range, part->size));
    return mark_part_shared(tables, *upload, *std::move(part), range);
}

}  // namespace

void enter_holder(Tables& tables, const Holder& holder, const Extent& extent) {
    if (extent.shared) tables.put_shared(row_of(holder, extent));
}

void erase_holder(Tables& tables, const Holder& holder, const Extent& extent) {
    if (extent.shared) tables.erase_shared(row_of(holder, extent));
}

Result<std::vector<Extent>> name_content(Tables& tables,
                                         const Holder& holder,
                                         const NewContent& content) {
    std::vector<Extent> named;
    for (Extent e : content.extents) {
        TRY(check_new(tables, e));
        e.shared = false;
        tables.add_live(e.volume, static_cast<std::int64_t>(e.length), stripe_end(e));
        named.push_back(e);
    }
    for (const NewContent::Inline& bytes : content.inlines) {
        if (bytes.bytes.empty()) continue;
        TRY_ASSIGN(named.emplace_back(), name_inline(tables, holder, bytes));
    }
    return named;
}

Result<std::vector<Extent>> share_range(Tables& tables, const CloneRange& range) {
    TRY_ASSIGN(auto extents,
               range.part == 0 ? share_inode(tables, range) : share_part(tables, range));
    const std::uint64_t to = range.source_offset + range.length;
    for (Extent& e : extents) {
        e = e.part(std::max(e.logical_offset, range.source_offset), std::min(e.end(), to));
        e.logical_offset = e.logical_offset - range.source_offset + range.offset;
    }
    return extents;
}

Result<bool> is_too_much(Tables& tables, const std::vector<CloneRange>& ranges) {
    for (const CloneRange& range : ranges) {
        if (range.part != 0) continue;
        const auto source = tables.inode(range.source);
        // Whether it is there is for share_range to say.
        if (!source.ok() || !(*source)->extents_in_table) continue;
        const std::uint64_t to = std::min(range.length, UINT64_MAX - range.source_offset);
        TRY_ASSIGN(const auto found,
                   tables.extents(range.source,
                                  range.source_offset,
                                  range.source_offset + to,
                                  kSharedExtentsMax + 1));
        if (found.size() > kSharedExtentsMax) return true;
    }
    return false;
}

Status release(Tables& tables, std::vector<Extent> dropped) {
    std::sort(dropped.begin(), dropped.end(), [](const Extent& a, const Extent& b) {
        return std::tie(a.kind, a.volume, a.place) < std::tie(b.kind, b.volume, b.place);
    });
    for (auto first = dropped.begin(); first != dropped.end();) {
        const auto last = std::find_if_not(
            first, dropped.end(), [&](const Extent& e) { return same_place(*first, e); });
        if (first->kind == ExtentKind::inline_data) {
            TRY(release_row(tables, first->place));
        } else {
            TRY(release_stripe(tables, {first, last}));
        }
        first = last;
    }
    return {};
}

Result<std::vector<Extent>> extents_of_row(Tables& tables, const InlineHead& row) {
    std::vector<Extent> found;
    const std::uint64_t end = row.logical_offset + row.size_bytes;
    const auto inode = tables.inode(row.inode);
    if (inode.ok() && (*inode)->extents_in_table) {
        TRY_ASSIGN(found, tables.extents(row.inode, row.logical_offset, end, SIZE_MAX));
    } else if (inode.ok()) {
        found = (*inode)->extents;
    } else if (inode.code() == Code::not_found) {
        TRY_ASSIGN(const auto upload, tables.upload_by_inode(row.inode));
        if (!upload) return found;
        const auto number = static_cast<std::uint32_t>(row.logical_offset / kPartBytesMax);
        TRY_ASSIGN(const auto part, tables.part(upload->id, number));
        if (!part) return found;
        found = part->extents;
        for (Extent& e : found) e.logical_offset += part_offset(number, 0);
    } else {
        return inode.error();
    }
    std::erase_if(found, [&](const Extent& e) {
        return e.kind != ExtentKind::inline_data || e.place != row.id;
    });
    return found;
}

}  // namespace objstore
