#include "objstore/meta/ops_content.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "objstore/meta/ops_tree.h"

namespace objstore {

namespace {

bool touches(const Extent& e, std::uint64_t from, std::uint64_t to) {
    return e.logical_offset < to && e.end() > from;
}

bool by_offset(const Extent& a, const Extent& b) {
    return a.logical_offset < b.logical_offset;
}

// All that the change names, by offset.
Result<std::vector<Extent>> gather(Tables& tables, InodeId id, const ContentChange& change) {
    // Sources first: what the new bytes go over may be one of them.
    std::vector<Extent> gathered;
    for (const CloneRange& range : change.clones) {
        TRY_ASSIGN(const auto shared, share_range(tables, range));
        gathered.insert(gathered.end(), shared.begin(), shared.end());
    }
    const Holder holder{.inode = id, .generation = change.generation};
    TRY_ASSIGN(auto named, name_content(tables, holder, change.content));
    for (Extent& e : named) e.shared = change.strange && e.kind == ExtentKind::stripe;
    gathered.insert(gathered.end(), named.begin(), named.end());
    std::sort(gathered.begin(), gathered.end(), by_offset);
    const auto overlap = [](const Extent& a, const Extent& b) {
        return a.end() > b.logical_offset;
    };
    if (std::adjacent_find(gathered.begin(), gathered.end(), overlap) != gathered.end()) {
        return Status::invalid_argument("new extents overlap");
    }
    return gathered;
}

// The ranges that the change goes over. Runs are cut at once: mostly there is one.
Status cut_ranges(ContentEdit& content,
                  const ContentChange& change,
                  const std::vector<Extent>& gathered) {
    if (change.replace_all) return content.cut(0, kFileBytesMax);
    for (const CloneRange& range : change.clones) {
        TRY(content.cut(range.offset, range.offset + range.length));
    }
    for (auto first = gathered.begin(); first != gathered.end();) {
        auto last = first;
        while (last + 1 != gathered.end() && last->end() == (last + 1)->logical_offset) ++last;
        TRY(content.cut(first->logical_offset, last->end()));
        first = last + 1;
    }
    return {};
}

}  // namespace

ContentEdit::ContentEdit(Tables& tables, const Inode& inode)
    : tables_(tables),
      holder_{.inode = inode.id},
      in_table_(inode.extents_in_table),
      embedded_(inode.extents) {}

Result<std::vector<Extent>> ContentEdit::extents(std::uint64_t from,
                                                 std::uint64_t to,
                                                 std::size_t limit) const {
    if (in_table_) return tables_.extents(holder_.inode, from, to, limit);
    std::vector<Extent> found;
    for (const Extent& e : embedded_) {
        if (touches(e, from, to) && found.size() < limit) found.push_back(e);
    }
    return found;
}

void ContentEdit::erase(const Extent& extent) {
    erase_holder(tables_, holder_, extent);
    if (in_table_) return tables_.erase_extent(holder_.inode, extent.logical_offset);
    std::erase_if(embedded_,
                  [&](const Extent& e) { return e.logical_offset == extent.logical_offset; });
}

void ContentEdit::put(const Extent& extent) {
    enter_holder(tables_, holder_, extent);
    if (in_table_) return tables_.put_extent(holder_.inode, extent);
    embedded_.push_back(extent);
}

Status ContentEdit::cut(std::uint64_t from, std::uint64_t to) {
    // All at once: to ask again would be to walk over what was erased, which is quadratic. The
    // transaction has as much in memory in any case; callers see to it that it is not too much.
    TRY_ASSIGN(const auto found, extents(from, to, std::numeric_limits<std::size_t>::max()));
    for (const Extent& e : found) {
        erase(e);
        if (e.logical_offset < from) put(e.part(e.logical_offset, from));
        if (e.end() > to) put(e.part(to, e.end()));
        dropped_.push_back(e.part(std::max(e.logical_offset, from), std::min(e.end(), to)));
    }
    // An empty file begins anew: rows only when it needs them.
    if (from == 0 && to == kFileBytesMax) in_table_ = false;
    return {};
}

void ContentEdit::insert(const Extent& extent) {
    DEBUG_ASSERT(extent.length > 0);
    put(extent);
}

void ContentEdit::take(const Extent& extent) {
    erase(extent);
}

Status ContentEdit::finish() {
    if (!in_table_ && embedded_.size() > kEmbeddedExtentsMax) {
        for (const Extent& e : embedded_) tables_.put_extent(holder_.inode, e);
        embedded_.clear();
        in_table_ = true;
    }
    std::sort(embedded_.begin(), embedded_.end(), by_offset);
    TRY_ASSIGN(const Inode* before, tables_.inode(holder_.inode));
    if (before->extents_in_table != in_table_ || before->extents != embedded_) {
        TRY_ASSIGN(Inode* const inode, edit_quietly(tables_, holder_.inode));
        inode->extents_in_table = in_table_;
        inode->extents = std::move(embedded_);
    }
    return release(tables_, std::move(dropped_));
}

Result<std::uint64_t> write_content(Tables& tables, InodeId id, const ContentChange& change) {
    TRY_ASSIGN(const auto gathered, gather(tables, id, change));
    TRY_ASSIGN(const Inode* inode, tables.inode(id));
    ContentEdit content(tables, *inode);
    TRY(cut_ranges(content, change, gathered));
    for (const Extent& e : gathered) content.insert(e);
    TRY(content.finish());
    return gathered.empty() ? std::uint64_t{0} : gathered.back().end();
}

Status set_parts(Tables& tables, InodeId id, std::vector<ObjectPart> parts) {
    TRY_ASSIGN(const Inode* inode, tables.inode(id));
    if (inode->part_count == 0 && parts.empty()) return {};
    TRY_ASSIGN(Inode* const edited, edit_quietly(tables, id));
    edited->part_count = static_cast<std::uint32_t>(parts.size());
    if (parts.empty()) {
        tables.erase_object_parts(id);
    } else {
        tables.put_object_parts(id, std::move(parts));
    }
    return {};
}

Status erase_with_content(Tables& tables, InodeId id) {
    TRY_ASSIGN(const Inode* inode, tables.inode(id));
    ASSERT(inode->nlink == 0);
    if (inode->part_count != 0) tables.erase_object_parts(id);
    const bool has_xattrs = inode->has_xattrs;
    ContentEdit content(tables, *inode);
    TRY(content.cut(0, kFileBytesMax));
    TRY(content.finish());
    if (has_xattrs) {
        TRY_ASSIGN(const auto xattrs, tables.xattrs(id));
        for (const XattrRow& row : xattrs) tables.erase_xattr(id, row.name);
    }
    tables.erase_inode(id);
    return {};
}

}  // namespace objstore
