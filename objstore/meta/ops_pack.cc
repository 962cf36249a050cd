// The mover's last step: what was kept inline now lies in stripes.
#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "objstore/meta/byte_ranges.h"
#include "objstore/meta/ops_apply.h"
#include "objstore/meta/ops_content.h"

namespace objstore {

namespace {

// Who names a row: where, with logical offsets as in the holders' rows, and which of its bytes.
struct Namers {
    std::map<InodeId, std::set<std::uint64_t>> offsets;
    std::vector<ByteRange> bytes;

    void add(InodeId inode, std::uint64_t offset, std::uint64_t from, std::uint64_t length) {
        offsets[inode].insert(offset);
        bytes.push_back({from, from + length});
    }
};

struct Packing {
    const InlineHead& row;
    const std::vector<Extent>& extents;  // where the row's bytes are now
};

Status check_extents(Tables& tables, const PackInlineOp& op, const InlineHead& row) {
    std::uint64_t at = 0;
    for (const Extent& e : op.extents) {
        if (e.kind != ExtentKind::stripe || e.logical_offset != at || e.length == 0) {
            return Status::invalid_argument("packed extents do not follow each other");
        }
        TRY_ASSIGN(const auto volume, tables.volume(e.volume));
        if (!volume) return Status::invalid_argument(fmt::format("no volume {:016x}", e.volume));
        at = e.end();
    }
    if (at != row.size_bytes) {
        return Status::invalid_argument("packed extents do not have the row's length");
    }
    // The stored bytes' checksum is that of the bytes as they came in, not of what was read here.
    if (op.extents.size() == 1 && op.extents[0].has_crc) {
        if (op.extents[0].crc == row.crc) return {};
        return Status::corruption(fmt::format("inline bytes {} were packed as others", row.id));
    }
    TRY_ASSIGN(const auto bytes, tables.inline_row(row.id));
    return check_bytes(*bytes);
}

Result<Namers> find_namers(Tables& tables, const InlineHead& row) {
    Namers namers;
    TRY_ASSIGN(const auto own, extents_of_row(tables, row));
    for (const Extent& e : own) {
        namers.add(row.inode, e.logical_offset, e.payload_offset, e.length);
    }
    TRY_ASSIGN(const auto holders, tables.shared(0, row.id, 0, row.size_bytes, SIZE_MAX));
    for (const SharedRow& holder : holders) {
        namers.add(holder.inode, holder.logical_offset, holder.payload_offset, holder.length);
    }
    namers.bytes = merged(std::move(namers.bytes));
    return namers;
}

// Bytes of the new places that nobody names are garbage from the start.
void count_live(Tables& tables, const std::vector<Extent>& extents, const Namers& namers) {
    for (const Extent& e : extents) {
        const std::uint64_t unnamed = uncovered_bytes({{e.logical_offset, e.end()}}, namers.bytes);
        tables.add_live(e.volume,
                        static_cast<std::int64_t>(e.length - unnamed),
                        e.place + e.header_bytes + e.column_bytes);
    }
}

// What takes the place of an extent of the row.
std::vector<Extent> packed(const Packing& packing, const Extent& extent) {
    std::vector<Extent> pieces;
    const std::uint64_t from = extent.payload_offset;
    const std::uint64_t to = from + extent.length;
    for (const Extent& e : packing.extents) {
        if (e.end() <= from || e.logical_offset >= to) continue;
        Extent piece = e.part(std::max(e.logical_offset, from), std::min(e.end(), to));
        piece.logical_offset = piece.logical_offset - from + extent.logical_offset;
        piece.shared = extent.shared;
        pieces.push_back(piece);
    }
    return pieces;
}

bool names_row(const Extent& e, const InlineHead& row) {
    return e.kind == ExtentKind::inline_data && e.place == row.id;
}

Status pack_inode(Tables& tables,
                  const Packing& packing,
                  const Inode& inode,
                  const std::set<std::uint64_t>& offsets) {
    ContentEdit content(tables, inode);
    for (const std::uint64_t offset : offsets) {
        TRY_ASSIGN(const auto found, content.extents(offset, offset + 1, 1));
        if (found.empty() || !names_row(found.front(), packing.row)) {
            return Status::corruption(fmt::format(
                "inode {} does not name row {} at {}", inode.id, packing.row.id, offset));
        }
        content.take(found.front());
        for (const Extent& piece : packed(packing, found.front())) content.insert(piece);
    }
    return content.finish();
}

Status pack_part(Tables& tables,
                 const Packing& packing,
                 const UploadRow& upload,
                 std::uint32_t number) {
    TRY_ASSIGN(auto part, tables.part(upload.id, number));
    if (!part) return Status::corruption(fmt::format("part {} is missing", number));
    const Holder holder{.inode = upload.inode, .base = part_offset(number, 0)};
    std::vector<Extent> extents;
    for (const Extent& e : part->extents) {
        if (!names_row(e, packing.row)) {
            extents.push_back(e);
            continue;
        }
        erase_holder(tables, holder, e);
        for (const Extent& piece : packed(packing, e)) {
            enter_holder(tables, holder, piece);
            extents.push_back(piece);
        }
    }
    part->extents = std::move(extents);
    tables.put_part(*std::move(part));
    return {};
}

Status pack_namer(Tables& tables,
                  const Packing& packing,
                  InodeId id,
                  const std::set<std::uint64_t>& offsets) {
    const auto inode = tables.inode(id);
    if (inode.ok()) return pack_inode(tables, packing, **inode, offsets);
    if (inode.code() != Code::not_found) return inode.error();
    TRY_ASSIGN(const auto upload, tables.upload_by_inode(id));
    if (!upload) return Status::corruption(fmt::format("inode {} is missing", id));
    std::set<std::uint32_t> numbers;
    for (const std::uint64_t offset : offsets) {
        numbers.insert(static_cast<std::uint32_t>(offset / kPartBytesMax));
    }
    for (const std::uint32_t number : numbers) TRY(pack_part(tables, packing, *upload, number));
    return {};
}

}  // namespace

Status apply_op(const PackInlineOp& op, Tables& tables, OpResult&) {
    TRY_ASSIGN(const auto row, tables.inline_head(op.inline_id));
    if (!row) return {};
    TRY(check_extents(tables, op, *row));
    TRY_ASSIGN(const Namers namers, find_namers(tables, *row));
    const Packing packing{*row, op.extents};
    for (const auto& [id, offsets] : namers.offsets) {
        TRY(pack_namer(tables, packing, id, offsets));
    }
    count_live(tables, op.extents, namers);
    tables.erase_inline(row->id);
    return {};
}

}  // namespace objstore
