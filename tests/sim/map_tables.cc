#include "tests/sim/map_tables.h"

#include <algorithm>

#include <fmt/format.h>

using namespace objstore;

namespace tests {

namespace {

template <typename Map, typename Key>
auto find(const Map& map, const Key& key) -> std::optional<typename Map::mapped_type> {
    const auto it = map.find(key);
    if (it == map.end()) return std::nullopt;
    return it->second;
}

std::pair<InodeId, std::string> name_key(InodeId id, std::string_view name) {
    return {id, std::string(name)};
}

NamespaceRows::SharedKey shared_key(const SharedRow& row) {
    return {row.volume, row.place, row.inode, row.logical_offset};
}

}  // namespace

MapTables::MapTables() {
    Inode root;
    root.id = kRootInode;
    root.type = FileType::directory;
    root.mode = 0755;
    root.nlink = 2;
    inodes_.emplace(kRootInode, std::make_unique<Inode>(std::move(root)));
}

Status MapTables::commit(std::span<const Op> ops, OpResult* result) {
    const NamespaceRows before = rows();
    const auto prunes_before = prunes;
    edited_.clear();
    for (const Op& op : ops) {
        OpResult one;
        Status status = apply(op, *this, one);
        if (result != nullptr) *result = std::move(one);
        if (status.ok()) continue;
        inodes_.clear();
        for (const auto& [id, inode] : before.inodes) {
            inodes_.emplace(id, std::make_unique<Inode>(inode));
        }
        rows_ = before;
        rows_.inodes.clear();
        prunes = prunes_before;
        return status;
    }
    return {};
}

NamespaceRows MapTables::rows() const {
    NamespaceRows all = rows_;
    for (const auto& [id, inode] : inodes_) all.inodes.emplace(id, *inode);
    return all;
}

Result<const Inode*> MapTables::inode(InodeId id) {
    const auto it = inodes_.find(id);
    if (it == inodes_.end()) return Status::not_found(fmt::format("inode {}", id), Why::stale);
    return it->second.get();
}

Result<Inode*> MapTables::edit_inode(InodeId id) {
    const auto it = inodes_.find(id);
    if (it == inodes_.end()) return Status::not_found(fmt::format("inode {}", id), Why::stale);
    it->second = std::make_unique<Inode>(*it->second);
    if (edited_.insert(id).second) ++it->second->change;
    return it->second.get();
}

Inode* MapTables::add_inode(Inode inode) {
    ASSERT(inode.id != 0);
    edited_.insert(inode.id);
    const InodeId id = inode.id;
    const auto added = inodes_.emplace(id, std::make_unique<Inode>(std::move(inode)));
    ASSERT(added.second);
    return added.first->second.get();
}

void MapTables::erase_inode(InodeId id) {
    const auto erased = inodes_.erase(id);
    ASSERT(erased == 1);
}

Result<std::optional<Entry>> MapTables::entry(InodeId parent, std::string_view name) {
    return find(rows_.entries, name_key(parent, name));
}

void MapTables::put_entry(Entry entry) {
    auto key = name_key(entry.parent, entry.name);
    rows_.entries.insert_or_assign(std::move(key), std::move(entry));
}

void MapTables::erase_entry(InodeId parent, std::string_view name) {
    const auto erased = rows_.entries.erase(name_key(parent, name));
    ASSERT(erased == 1);
}

Result<std::vector<Entry>> MapTables::entries(InodeId parent,
                                              std::string_view from,
                                              std::size_t limit) {
    std::vector<Entry> found;
    auto it = rows_.entries.lower_bound(name_key(parent, from));
    for (; it != rows_.entries.end() && it->first.first == parent; ++it) {
        if (found.size() == limit) break;
        found.push_back(it->second);
    }
    return found;
}

Result<std::vector<Extent>> MapTables::extents(InodeId id,
                                               std::uint64_t from,
                                               std::uint64_t to,
                                               std::size_t limit) {
    std::vector<Extent> found;
    const auto rows = rows_.extents.find(id);
    if (rows == rows_.extents.end()) return found;
    for (const auto& [offset, e] : rows->second) {
        if (offset < to && e.end() > from && found.size() < limit) found.push_back(e);
    }
    return found;
}

void MapTables::put_extent(InodeId id, const Extent& extent) {
    rows_.extents[id].insert_or_assign(extent.logical_offset, extent);
}

void MapTables::erase_extent(InodeId id, std::uint64_t logical_offset) {
    auto& rows = rows_.extents[id];
    const auto erased = rows.erase(logical_offset);
    ASSERT(erased == 1);
    if (rows.empty()) rows_.extents.erase(id);
}

Result<std::optional<BucketRow>> MapTables::bucket(std::string_view name) {
    for (const auto& [id, row] : rows_.buckets) {
        if (row.name == name) return std::optional(row);
    }
    return std::optional<BucketRow>();
}

Result<std::optional<BucketRow>> MapTables::bucket_by_inode(InodeId id) {
    return find(rows_.buckets, id);
}

void MapTables::put_bucket(BucketRow row) {
    const InodeId id = row.inode;
    rows_.buckets.insert_or_assign(id, std::move(row));
}

void MapTables::erase_bucket(InodeId id) {
    rows_.buckets.erase(id);
}

Result<std::optional<UploadRow>> MapTables::upload(std::uint64_t id) {
    return find(rows_.uploads, id);
}

Result<std::optional<UploadRow>> MapTables::upload_by_inode(InodeId id) {
    for (const auto& [upload, row] : rows_.uploads) {
        if (row.inode == id) return std::optional(row);
    }
    return std::optional<UploadRow>();
}

Result<bool> MapTables::has_uploads(InodeId bucket) {
    return std::any_of(rows_.uploads.begin(), rows_.uploads.end(), [&](const auto& upload) {
        return upload.second.bucket == bucket;
    });
}

void MapTables::put_upload(UploadRow row) {
    const std::uint64_t id = row.id;
    rows_.uploads.insert_or_assign(id, std::move(row));
}

void MapTables::erase_upload(std::uint64_t id) {
    rows_.uploads.erase(id);
}

Result<std::optional<PartRow>> MapTables::part(std::uint64_t upload, std::uint32_t number) {
    return find(rows_.parts, std::pair(upload, number));
}

Result<std::vector<PartRow>> MapTables::parts(std::uint64_t upload,
                                              std::uint32_t after,
                                              std::size_t limit) {
    std::vector<PartRow> found;
    auto it = rows_.parts.upper_bound({upload, after});
    for (; it != rows_.parts.end() && it->first.first == upload && found.size() < limit; ++it) {
        found.push_back(it->second);
    }
    return found;
}

void MapTables::put_part(PartRow row) {
    const std::pair key(row.upload, row.number);
    rows_.parts.insert_or_assign(key, std::move(row));
}

void MapTables::erase_part(std::uint64_t upload, std::uint32_t number) {
    rows_.parts.erase({upload, number});
}

Result<std::vector<ObjectPart>> MapTables::object_parts(InodeId id) {
    return find(rows_.object_parts, id).value_or(std::vector<ObjectPart>());
}

void MapTables::put_object_parts(InodeId id, std::vector<ObjectPart> parts) {
    ASSERT(!parts.empty());
    rows_.object_parts.insert_or_assign(id, std::move(parts));
}

void MapTables::erase_object_parts(InodeId id) {
    ASSERT(rows_.object_parts.erase(id) == 1);
}

Result<std::optional<XattrRow>> MapTables::xattr(InodeId id, std::string_view name) {
    return find(rows_.xattrs, name_key(id, name));
}

Result<std::vector<XattrRow>> MapTables::xattrs(InodeId id) {
    std::vector<XattrRow> found;
    auto it = rows_.xattrs.lower_bound({id, ""});
    for (; it != rows_.xattrs.end() && it->first.first == id; ++it) found.push_back(it->second);
    return found;
}

void MapTables::put_xattr(XattrRow row) {
    auto key = name_key(row.inode, row.name);
    rows_.xattrs.insert_or_assign(std::move(key), std::move(row));
}

void MapTables::erase_xattr(InodeId id, std::string_view name) {
    rows_.xattrs.erase(name_key(id, name));
}

Result<std::optional<InlineRow>> MapTables::inline_row(std::uint64_t id) {
    return find(rows_.inlines, id);
}

Result<std::optional<InlineHead>> MapTables::inline_head(std::uint64_t id) {
    const auto row = find(rows_.inlines, id);
    return row ? std::optional(head_of(*row)) : std::nullopt;
}

void MapTables::put_inline(InlineRow row) {
    const std::uint64_t id = row.id;
    rows_.inlines.insert_or_assign(id, std::move(row));
}

void MapTables::erase_inline(std::uint64_t id) {
    rows_.inlines.erase(id);
}

Result<std::vector<SharedRow>> MapTables::shared(std::uint64_t volume,
                                                 std::uint64_t place,
                                                 std::uint32_t from,
                                                 std::uint64_t to,
                                                 std::size_t limit) {
    std::vector<SharedRow> found;
    for (const auto& [key, row] : rows_.shared) {
        if (row.volume != volume || row.place != place || found.size() == limit) continue;
        if (row.payload_offset < to && row.payload_offset + row.length > from) {
            found.push_back(row);
        }
    }
    return found;
}

void MapTables::put_shared(SharedRow row) {
    const bool fresh = rows_.shared.emplace(shared_key(row), row).second;
    ASSERT(fresh);
}

void MapTables::erase_shared(const SharedRow& row) {
    const auto found = rows_.shared.find(shared_key(row));
    ASSERT(found != rows_.shared.end());
    ASSERT(found->second == row);  // a store finds it by all of it
    rows_.shared.erase(found);
}

Result<std::optional<OrphanRow>> MapTables::orphan(InodeId id) {
    return find(rows_.orphans, id);
}

void MapTables::put_orphan(OrphanRow row) {
    rows_.orphans.insert_or_assign(row.inode, row);
}

void MapTables::erase_orphan(InodeId id) {
    rows_.orphans.erase(id);
}

Result<std::optional<VolumeRow>> MapTables::volume(VolumeId id) {
    return find(rows_.volumes, id);
}

void MapTables::put_volume(VolumeRow row) {
    rows_.volumes.insert_or_assign(row.id, row);
}

void MapTables::add_live(VolumeId id, std::int64_t bytes, std::uint64_t end) {
    VolumeRow& row = rows_.volumes.at(id);
    ASSERT(bytes >= 0 || row.live_bytes >= static_cast<std::uint64_t>(-bytes));
    row.live_bytes += static_cast<std::uint64_t>(bytes);
    if (bytes > 0) row.named_end = std::max(row.named_end, end);
}

void MapTables::put_setting(std::string_view name, std::string_view value) {
    rows_.settings.insert_or_assign(std::string(name), std::string(value));
}

}  // namespace tests
