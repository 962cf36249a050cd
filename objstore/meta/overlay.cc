#include "objstore/meta/overlay.h"

#include <algorithm>

#include <fmt/format.h>

namespace objstore {

namespace {

// Rows of the database with those of a layer over them, both in key order. `layer` maps a row's
// key to its new state or to nullopt for an erased one.
template <typename Key, typename Row, typename KeyOf>
std::vector<Row> merge(std::vector<Row> stored,
                       const std::map<Key, std::optional<Row>>& layer,
                       KeyOf&& key_of) {
    if (layer.empty()) return stored;
    std::map<Key, Row> merged;
    for (Row& row : stored) {
        Key key = key_of(row);
        merged.emplace(std::move(key), std::move(row));
    }
    for (const auto& [key, row] : layer) {
        if (row) {
            merged.insert_or_assign(key, *row);
        } else {
            merged.erase(key);
        }
    }
    std::vector<Row> rows;
    rows.reserve(merged.size());
    for (auto& [key, row] : merged) rows.push_back(std::move(row));
    return rows;
}

template <typename Row>
void cut(std::vector<Row>& rows, std::size_t limit) {
    if (rows.size() > limit)
        rows.erase(rows.begin() + static_cast<std::ptrdiff_t>(limit), rows.end());
}

}  // namespace

const Inode* Overlay::InodeRow::now() const {
    if (erased) return nullptr;
    return edited != nullptr ? edited.get() : committed.get();
}

Result<const Overlay::InodeRow*> Overlay::load_inode(InodeId id) {
    if (const InodeRow* row = inodes_.find(id)) return row;
    InodePtr found = deps_.caches.inodes.find(id).value.value_or(nullptr);
    if (found == nullptr) {
        TRY_ASSIGN(found, rows_.inode(id));
    }
    return &inodes_.load(id, {std::move(found), nullptr, false});
}

Result<const Inode*> Overlay::inode(InodeId id) {
    TRY_ASSIGN(const InodeRow* row, load_inode(id));
    if (const Inode* now = row->now()) return now;
    return Status::not_found(fmt::format("inode {}", id), Why::stale);
}

Result<Inode*> Overlay::edit_inode(InodeId id) {
    TRY_ASSIGN(const Inode* now, inode(id));
    bool fresh = false;
    InodeRow& row = inodes_.change(id, &fresh);
    if (fresh) {
        // A copy: the way back, the caches and earlier results keep what was.
        row.edited = std::make_shared<Inode>(*now);
        ++row.edited->change;
    }
    return row.edited.get();
}

Inode* Overlay::add_inode(Inode inode) {
    ASSERT(inode.id != 0);
    const InodeRow* before = inodes_.find(inode.id);
    ASSERT(before == nullptr || before->now() == nullptr);
    InodeRow& row = inodes_.change(inode.id);
    row.edited = std::make_shared<Inode>(std::move(inode));
    row.erased = false;
    return row.edited.get();
}

void Overlay::erase_inode(InodeId id) {
    // Where its record is has to be known to erase it.
    auto row = load_inode(id);
    if (!row.ok()) {
        problem_ = std::move(row).error();
        return;
    }
    InodeRow& changed = inodes_.change(id);
    changed.edited = nullptr;
    changed.erased = true;
}

Result<std::optional<Entry>> Overlay::entry(InodeId parent, std::string_view name) {
    const EntryRef key{parent, name};
    // A row that was put without being read says what is, not what was.
    if (const EntryRow* row = entries_.find(key)) return row->now;
    EntryRow row;
    row.known = true;
    if (const auto cached = deps_.caches.entries.find(key).value) {
        if (cached->inode != 0) row.committed = cached->entry(key);
    } else {
        TRY_ASSIGN(std::optional<StoredEntry> stored, rows_.entry(parent, name));
        if (stored) {
            // Its inode came along, so whoever asks for it next need not.
            if (stored->inode != nullptr && inodes_.find(stored->entry.inode) == nullptr) {
                inodes_.load(stored->entry.inode, {std::move(stored->inode), nullptr, false});
            }
            row.committed = std::move(stored->entry);
        }
    }
    row.now = row.committed;
    return entries_.load(EntryKey{parent, std::string(name)}, std::move(row)).now;
}

void Overlay::put_entry(Entry entry) {
    ASSERT(entry.inode != 0 && entry.cookie != 0);
    EntryRow& row = entries_.change(EntryKey{entry.parent, entry.name});
    row.now = std::move(entry);
}

void Overlay::erase_entry(InodeId parent, std::string_view name) {
    entries_.change(EntryKey{parent, std::string(name)}).now = std::nullopt;
}

Result<std::vector<Entry>> Overlay::entries(InodeId parent,
                                            std::string_view from,
                                            std::size_t limit) {
    std::map<std::string, std::optional<Entry>> layer;
    auto it = entries_.rows().lower_bound(EntryRef{parent, from});
    for (; it != entries_.rows().end() && it->first.parent == parent; ++it) {
        if (it->second.dirty) layer.emplace(it->first.name, it->second.row.now);
    }
    ListQuery query;
    query.parent = parent;
    query.from = from;
    query.limit = limit + layer.size();
    TRY_ASSIGN(std::vector<StoredEntry> stored, rows_.entries(query));
    std::vector<Entry> rows;
    rows.reserve(stored.size());
    for (StoredEntry& row : stored) rows.push_back(std::move(row.entry));
    rows = merge(std::move(rows), layer, [](const Entry& row) { return row.name; });
    cut(rows, limit);
    return rows;
}

Result<std::vector<Extent>> Overlay::extents(InodeId id,
                                             std::uint64_t from,
                                             std::uint64_t to,
                                             std::size_t limit) {
    std::map<std::uint64_t, std::optional<Extent>> layer;
    const auto& rows = extents_.rows();
    auto it = rows.lower_bound(ExtentKey{id, from});
    // Extents do not overlap: of those before `from` only the last that is there can touch it, but
    // ones erased here may lie in between.
    for (auto before = it; before != rows.begin();) {
        --before;
        if (before->first.first != id) break;
        layer.emplace(before->first.second, before->second.row);
        if (before->second.row) break;
    }
    for (; it != rows.end() && it->first.first == id && it->first.second < to; ++it) {
        layer.emplace(it->first.second, it->second.row);
    }
    const std::size_t wanted = limit > SIZE_MAX - layer.size() ? SIZE_MAX : limit + layer.size();
    TRY_ASSIGN(std::vector<Extent> stored, rows_.extents(id, {from, to}, wanted));
    // The one that begins before the range is not what it was if the batch has cut it, which the
    // way back above does not see where something new lies in between.
    if (!stored.empty() && stored.front().logical_offset < from) {
        const std::uint64_t offset = stored.front().logical_offset;
        if (const auto* row = extents_.find(ExtentKey{id, offset})) layer.emplace(offset, *row);
    }
    stored =
        merge(std::move(stored), layer, [](const Extent& extent) { return extent.logical_offset; });
    std::erase_if(stored, [&](const Extent& e) { return e.end() <= from; });
    cut(stored, limit);
    return stored;
}

void Overlay::put_extent(InodeId id, const Extent& extent) {
    extents_.change(ExtentKey{id, extent.logical_offset}) = extent;
}

void Overlay::erase_extent(InodeId id, std::uint64_t logical_offset) {
    extents_.change(ExtentKey{id, logical_offset}) = std::nullopt;
}

Result<std::optional<BucketRow>> Overlay::bucket(std::string_view name) {
    for (const auto& [id, slot] : buckets_.rows()) {
        if (slot.row && slot.row->name == name) return slot.row;
    }
    std::optional<BucketRow> stored = deps_.resident.bucket(name);
    if (stored && buckets_.find(stored->inode) != nullptr) return std::optional<BucketRow>();
    return stored;
}

Result<std::optional<BucketRow>> Overlay::bucket_by_inode(InodeId id) {
    if (const auto* row = buckets_.find(id)) return *row;
    return deps_.resident.bucket_by_inode(id);
}

void Overlay::put_bucket(BucketRow row) {
    ASSERT(row.inode != 0);
    buckets_.change(row.inode) = std::move(row);
}

void Overlay::erase_bucket(InodeId id) {
    buckets_.change(id) = std::nullopt;
}

Result<std::optional<UploadRow>> Overlay::upload(std::uint64_t id) {
    if (const auto* row = uploads_.find(id)) return *row;
    return rows_.upload(id);
}

Result<std::optional<UploadRow>> Overlay::upload_by_inode(InodeId id) {
    for (const auto& [key, slot] : uploads_.rows()) {
        if (slot.row && slot.row->inode == id) return slot.row;
    }
    TRY_ASSIGN(std::optional<UploadRow> stored, rows_.upload_by_inode(id));
    if (stored && uploads_.find(stored->id) != nullptr) return std::optional<UploadRow>();
    return stored;
}

Result<bool> Overlay::has_uploads(InodeId bucket) {
    std::size_t erased = 0;
    for (const auto& [id, slot] : uploads_.rows()) {
        if (slot.row && slot.row->bucket == bucket) return true;
        if (!slot.row) ++erased;
    }
    TRY_ASSIGN(const auto ids, rows_.upload_ids(bucket, erased + 1));
    return std::any_of(
        ids.begin(), ids.end(), [&](std::uint64_t id) { return uploads_.find(id) == nullptr; });
}

void Overlay::put_upload(UploadRow row) {
    uploads_.change(row.id) = std::move(row);
}

void Overlay::erase_upload(std::uint64_t id) {
    uploads_.change(id) = std::nullopt;
}

Result<std::optional<PartRow>> Overlay::part(std::uint64_t upload, std::uint32_t number) {
    if (const auto* row = parts_.find(PartKey{upload, number})) return *row;
    return rows_.part(upload, number);
}

Result<std::vector<PartRow>> Overlay::parts(std::uint64_t upload,
                                            std::uint32_t after,
                                            std::size_t limit) {
    std::map<std::uint32_t, std::optional<PartRow>> layer;
    auto it = parts_.rows().upper_bound(PartKey{upload, after});
    for (; it != parts_.rows().end() && it->first.first == upload; ++it) {
        layer.emplace(it->first.second, it->second.row);
    }
    const std::size_t wanted = limit > SIZE_MAX - layer.size() ? SIZE_MAX : limit + layer.size();
    TRY_ASSIGN(std::vector<PartRow> stored, rows_.parts(upload, after, wanted));
    stored = merge(std::move(stored), layer, [](const PartRow& row) { return row.number; });
    cut(stored, limit);
    return stored;
}

void Overlay::put_part(PartRow row) {
    ASSERT(row.number > 0);
    parts_.change(PartKey{row.upload, row.number}) = std::move(row);
}

void Overlay::erase_part(std::uint64_t upload, std::uint32_t number) {
    parts_.change(PartKey{upload, number}) = std::nullopt;
}

Result<std::vector<ObjectPart>> Overlay::object_parts(InodeId id) {
    if (const auto* parts = object_parts_.find(id)) return *parts;
    return rows_.object_parts(id);
}

void Overlay::put_object_parts(InodeId id, std::vector<ObjectPart> parts) {
    ASSERT(!parts.empty());
    object_parts_.change(id) = std::move(parts);
}

void Overlay::erase_object_parts(InodeId id) {
    object_parts_.change(id).clear();
}

Result<std::optional<XattrRow>> Overlay::xattr(InodeId id, std::string_view name) {
    if (const auto* row = xattrs_.find(EntryRef{id, name})) return *row;
    return rows_.xattr(id, name);
}

Result<std::vector<XattrRow>> Overlay::xattrs(InodeId id) {
    std::map<std::string, std::optional<XattrRow>> layer;
    auto it = xattrs_.rows().lower_bound(EntryRef{id, {}});
    for (; it != xattrs_.rows().end() && it->first.parent == id; ++it) {
        layer.emplace(it->first.name, it->second.row);
    }
    TRY_ASSIGN(std::vector<XattrRow> stored, rows_.xattrs(id));
    return merge(std::move(stored), layer, [](const XattrRow& row) { return row.name; });
}

void Overlay::put_xattr(XattrRow row) {
    xattrs_.change(EntryKey{row.inode, row.name}) = std::move(row);
}

void Overlay::erase_xattr(InodeId id, std::string_view name) {
    xattrs_.change(EntryKey{id, std::string(name)}) = std::nullopt;
}

Result<std::optional<InlineRow>> Overlay::inline_row(std::uint64_t id) {
    if (const auto* row = inlines_.find(id)) return *row;
    return rows_.inline_row(id);
}

Result<std::optional<InlineHead>> Overlay::inline_head(std::uint64_t id) {
    if (const auto* row = inlines_.find(id)) {
        return *row ? std::optional(head_of(**row)) : std::nullopt;
    }
    TRY_ASSIGN(const auto head, rows_.inline_head(id));
    if (head) inline_sizes_[id] = head->size_bytes;
    return head;
}

void Overlay::put_inline(InlineRow row) {
    ASSERT(row.id != 0);
    inlines_.change(row.id) = std::move(row);
}

void Overlay::erase_inline(std::uint64_t id) {
    inlines_.change(id) = std::nullopt;
}

Overlay::SharedKey Overlay::key_of(const SharedRow& row) {
    return {
        row.volume, row.place, row.size_class(), row.payload_offset, row.inode, row.logical_offset};
}

Result<std::vector<SharedRow>> Overlay::shared(std::uint64_t volume,
                                               std::uint64_t place,
                                               std::uint32_t from,
                                               std::uint64_t to,
                                               std::size_t limit) {
    const RowReader::Range payload{from, to};
    std::map<SharedKey, std::optional<SharedRow>> layer;
    auto it = shared_.rows().lower_bound(SharedKey{volume, place, 0, 0, 0, 0});
    for (; it != shared_.rows().end() && std::get<0>(it->first) == volume &&
           std::get<1>(it->first) == place;
         ++it) {
        layer.emplace(it->first, it->second.row);
    }
    const std::size_t wanted = limit > SIZE_MAX - layer.size() ? SIZE_MAX : limit + layer.size();
    TRY_ASSIGN(std::vector<SharedRow> stored, rows_.shared({volume, place}, payload, wanted));
    stored = merge(std::move(stored), layer, key_of);
    std::erase_if(stored, [&](const SharedRow& row) { return !touches(row, payload); });
    cut(stored, limit);
    return stored;
}

void Overlay::put_shared(SharedRow row) {
    shared_.change(key_of(row)) = row;
}

void Overlay::erase_shared(const SharedRow& row) {
    shared_.change(key_of(row)) = std::nullopt;
}

Result<std::optional<OrphanRow>> Overlay::orphan(InodeId id) {
    if (const auto* row = orphans_.find(id)) return *row;
    const auto since = deps_.resident.orphan_since(id);
    return since ? std::optional<OrphanRow>({id, *since}) : std::nullopt;
}

void Overlay::put_orphan(OrphanRow row) {
    orphans_.change(row.inode) = row;
}

void Overlay::erase_orphan(InodeId id) {
    orphans_.change(id) = std::nullopt;
}

Result<std::optional<VolumeRow>> Overlay::volume(VolumeId id) {
    if (const VolumeRow* row = volumes_.find(id)) return std::optional<VolumeRow>(*row);
    return deps_.resident.volume(id);
}

void Overlay::put_volume(VolumeRow row) {
    ASSERT(row.id != 0 && row.geometry.valid());
    volumes_.change(row.id) = row;
}

void Overlay::add_live(VolumeId id, std::int64_t bytes, std::uint64_t end) {
    auto found = volume(id);
    if (!found.ok() || !*found) {
        problem_ = Status::corruption(fmt::format("volume {:016x} is named but has no row", id));
        return;
    }
    VolumeRow& row = volumes_.change(id);
    row = **found;
    const std::uint64_t live = row.live_bytes + static_cast<std::uint64_t>(bytes);
    if (bytes < 0 && live > row.live_bytes) {
        problem_ = Status::corruption(fmt::format("volume {:016x} has less than no bytes", id));
        return;
    }
    row.live_bytes = live;
    row.named_end = std::max(row.named_end, end);
}

void Overlay::put_setting(std::string_view name, std::string_view value) {
    if (name.starts_with("format.")) {
        problem_ = Status::invalid_argument(fmt::format("setting {} is the schema's", name));
        return;
    }
    settings_.change(std::string(name)) = value;
}

void Overlay::prune_later(InodeId directory) {
    prunes_.change(directory) =
        deps_.clock.now() + std::chrono::nanoseconds(RecentDirectories::kKept).count();
}

}  // namespace objstore
