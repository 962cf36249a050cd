#include <fmt/format.h>

#include "objstore/meta/overlay.h"

// What Overlay does at the ends of Txns and batches.
namespace objstore {

namespace {

// Writes each dirty row of a layer: `put` for one that is there, `erase` for one that is not.
template <typename Rows, typename Put, typename Erase>
Status flush_rows(const Rows& layer, Put&& put, Erase&& erase) {
    Status status;
    layer.for_each_dirty([&](const auto& key, const auto& row) {
        if (status.ok()) status = row ? put(*row) : erase(key);
    });
    return status;
}

}  // namespace

template <typename Self, typename Fn>
void Overlay::for_each_layer(Self& self, Fn&& fn) {
    fn(self.inodes_);
    fn(self.entries_);
    fn(self.extents_);
    fn(self.buckets_);
    fn(self.uploads_);
    fn(self.parts_);
    fn(self.object_parts_);
    fn(self.xattrs_);
    fn(self.inlines_);
    fn(self.shared_);
    fn(self.orphans_);
    fn(self.volumes_);
    fn(self.settings_);
    fn(self.prunes_);
}

void Overlay::begin_txn() {
    ++txn_;
    problem_ = {};
    for_each_layer(*this, [this](auto& layer) { layer.begin(txn_); });
}

void Overlay::keep() {
    ASSERT(problem_.ok());
    for_each_layer(*this, [this](auto& layer) {
        dirty_ = dirty_ || layer.touched();
        layer.keep();
    });
}

void Overlay::drop() {
    for_each_layer(*this, [](auto& layer) { layer.drop(); });
}

void Overlay::clear() {
    for_each_layer(*this, [](auto& layer) { layer.clear(); });
    inline_sizes_.clear();
    dirty_ = false;
    first_new_id_ = deps_.ids.given();
}

std::size_t Overlay::row_count() const {
    std::size_t count = 0;
    for_each_layer(*this, [&](const auto& layer) { count += layer.size(); });
    return count;
}

void Overlay::forget_prune(InodeId directory) {
    prunes_.change(directory) = std::nullopt;
}

std::vector<Change> Overlay::changes() const {
    std::vector<Change> changes;
    entries_.for_each_touched(
        [&](const EntryKey& key, const EntryRow* before, const EntryRow& now) {
            if (before != nullptr && before->now == now.now) return;
            std::string name = key.name;
            if (name.ends_with('/')) name.pop_back();
            changes.push_back({Change::Kind::entry, key.parent, std::move(name)});
        });
    inodes_.for_each_touched([&](InodeId id, const InodeRow* before, const InodeRow& now) {
        const Inode* was = before != nullptr ? before->now() : nullptr;
        if (was == nullptr) return;  // nobody can have cached what is new
        const Inode* is = now.now();
        const bool content = is == nullptr || is->generation != was->generation;
        changes.push_back({content ? Change::Kind::content : Change::Kind::attributes, id, {}});
    });
    return changes;
}

Status Overlay::flush_inode(RowWriter& out, InodeId id, const InodeRow& row) {
    const Inode* now = row.now();
    const Inode* was = row.committed.get();
    if (now == nullptr) return was != nullptr ? out.erase_inode(id) : Status();
    const bool moved = was != nullptr && (was->parent != now->parent || was->name != now->name);
    if (was == nullptr) {
        TRY(out.insert_inode(*now));
    } else if (moved || now->parent == 0) {
        TRY(out.put_inode(*now));
    }
    if (moved && was->parent != 0 && !entries_.is_dirty(EntryRef{was->parent, was->name})) {
        TRY(out.clear_entry_record(was->parent, was->name, id));
    }
    if (now->parent == 0) return {};
    if (!entries_.is_dirty(EntryRef{now->parent, now->name})) return out.put_entry_record(*now);
    const EntryRow* name = entries_.find(EntryRef{now->parent, now->name});
    if (!name->now || name->now->inode != id) {
        return Status::corruption(
            fmt::format("inode {}: its name {}/{} leads elsewhere", id, now->parent, now->name));
    }
    return {};
}

Status Overlay::flush_entry(RowWriter& out, const EntryKey& key, const EntryRow& row) {
    if (!row.now) {
        if (row.known && !row.committed) return {};
        return out.erase_entry(key.parent, key.name);
    }
    TRY_ASSIGN(const Inode* inode, inode(row.now->inode));
    const bool embedded = inode->parent == key.parent && inode->name == key.name;
    auto replaces = RowWriter::Replaces::anything;
    if (row.known && !row.committed) replaces = RowWriter::Replaces::nothing;
    if (row.known && row.committed && row.committed->cookie == row.now->cookie) {
        replaces = RowWriter::Replaces::same_cookie;
    }
    return out.put_entry(*row.now, embedded ? inode : nullptr, replaces);
}

Status Overlay::flush_names(RowWriter& out, MetaStore::Totals& totals) {
    // Inodes behind changed entries are read before any row is written: while rows move, the way
    // from an inode to its record is broken.
    Status status;
    entries_.for_each_dirty([&](const EntryKey& key, const EntryRow& row) {
        if (!status.ok() || !row.now) return;
        auto found = inode(row.now->inode);
        if (found.ok()) return;
        status = Status::corruption(
            fmt::format("entry {}/{}: {}", key.parent, key.name, found.error().message()));
    });
    inodes_.for_each_dirty([&](InodeId id, const InodeRow& row) {
        if (!status.ok()) return;
        if (row.committed == nullptr && row.now() != nullptr) ++totals.inodes;
        if (row.committed != nullptr && row.now() == nullptr) --totals.inodes;
        status = flush_inode(out, id, row);
    });
    entries_.for_each_dirty([&](const EntryKey& key, const EntryRow& row) {
        if (status.ok()) status = flush_entry(out, key, row);
    });
    return status;
}

Result<std::uint64_t> Overlay::stored_inline_size(std::uint64_t id) const {
    if (id >= first_new_id_) return std::uint64_t{0};
    if (const auto known = inline_sizes_.find(id); known != inline_sizes_.end()) {
        return known->second;
    }
    TRY_ASSIGN(const auto head, rows_.inline_head(id));
    return head ? head->size_bytes : 0;
}

Status Overlay::flush_content(RowWriter& out, MetaStore::Totals& totals) {
    Status status;
    extents_.for_each_dirty([&](const ExtentKey& key, const Erasable<Extent>& row) {
        if (!status.ok()) return;
        status = row ? out.put_extent(key.first, *row) : out.erase_extent(key.first, key.second);
    });
    inlines_.for_each_dirty([&](std::uint64_t id, const Erasable<InlineRow>& row) {
        if (!status.ok()) return;
        const auto size_before = stored_inline_size(id);
        if (!size_before.ok()) {
            status = size_before.error();
            return;
        }
        totals.inline_bytes += (row ? row->bytes.size() : 0) - *size_before;
        status = row ? out.put_inline(*row) : out.erase_inline(id);
    });
    TRY(status);
    return flush_rows(
        shared_,
        [&](const SharedRow& row) { return out.put_shared(row); },
        [&](const SharedKey& key) {
            SharedRow row;
            std::uint8_t size_class = 0;
            std::tie(row.volume,
                     row.place,
                     size_class,
                     row.payload_offset,
                     row.inode,
                     row.logical_offset) = key;
            row.length = std::uint64_t{1} << size_class;  // any length of the class
            return out.erase_shared(row);
        });
}

Status Overlay::flush_s3(RowWriter& out) {
    // Names of buckets are unique: one that is gone makes room before another takes its name.
    Status status;
    buckets_.for_each_dirty([&](InodeId id, const Erasable<BucketRow>& row) {
        if (status.ok() && !row) status = out.erase_bucket(id);
    });
    buckets_.for_each_dirty([&](InodeId, const Erasable<BucketRow>& row) {
        if (status.ok() && row) status = out.put_bucket(*row);
    });
    object_parts_.for_each_dirty([&](InodeId id, const std::vector<ObjectPart>& parts) {
        if (!status.ok()) return;
        status = parts.empty() ? out.erase_object_parts(id) : out.put_object_parts(id, parts);
    });
    TRY(status);
    TRY(flush_rows(
        uploads_,
        [&](const UploadRow& row) { return out.put_upload(row); },
        [&](std::uint64_t id) { return out.erase_upload(id); }));
    return flush_rows(
        parts_,
        [&](const PartRow& row) { return out.put_part(row); },
        [&](const PartKey& key) { return out.erase_part(key.first, key.second); });
}

Status Overlay::flush_small(RowWriter& out) {
    TRY(flush_rows(
        xattrs_,
        [&](const XattrRow& row) { return out.put_xattr(row); },
        [&](const EntryKey& key) { return out.erase_xattr(key.parent, key.name); }));
    TRY(flush_rows(
        orphans_,
        [&](const OrphanRow& row) { return out.put_orphan(row); },
        [&](InodeId id) { return out.erase_orphan(id); }));
    Status status;
    volumes_.for_each_dirty([&](VolumeId, const VolumeRow& row) {
        if (status.ok()) status = out.put_volume(row);
    });
    settings_.for_each_dirty([&](const std::string& name, const std::string& value) {
        if (status.ok()) status = out.put_setting(name, value);
    });
    prunes_.for_each_dirty([&](InodeId id, const Erasable<UnixNanos>& due) {
        if (status.ok()) status = due ? out.put_prune({id, *due}) : out.erase_prune(id);
    });
    return status;
}

Status Overlay::flush(MetaStore::Totals& totals) {
    RowWriter out(deps_.connection);
    totals = deps_.resident.totals();
    TRY(flush_names(out, totals));
    TRY(flush_content(out, totals));
    TRY(flush_s3(out));
    return flush_small(out);
}

void Overlay::publish(std::uint64_t sequence, const MetaStore::Totals& totals) {
    entries_.for_each_dirty([&](const EntryKey& key, const EntryRow& row) {
        // Absence is worth remembering too: what is about to be made is looked up first.
        deps_.caches.entries.put(
            key, row.now ? CachedEntry::of(*row.now) : CachedEntry{}, sequence);
    });
    InodeId last = 0;
    extents_.for_each_dirty([&](const ExtentKey& key, const auto&) {
        if (key.first != last) deps_.caches.tables.erase(key.first, sequence);
        last = key.first;
    });
    inodes_.for_each_dirty([&](InodeId id, const InodeRow& row) {
        if (row.committed != nullptr && row.committed->extents_in_table) {
            deps_.caches.tables.erase(id, sequence);
        }
        if (row.now() == nullptr) {
            deps_.caches.inodes.erase(id, sequence);
        } else {
            deps_.caches.inodes.put(id, row.edited, sequence);
        }
    });
    Resident::Changes changes;
    buckets_.for_each_dirty(
        [&](InodeId id, const auto& row) { changes.buckets.emplace_back(id, row); });
    volumes_.for_each_dirty(
        [&](VolumeId, const VolumeRow& row) { changes.volumes.push_back(row); });
    orphans_.for_each_dirty([&](InodeId id, const auto& row) {
        changes.orphans.emplace_back(id, row ? std::optional<UnixNanos>(row->since) : std::nullopt);
    });
    prunes_.for_each_dirty(
        [&](InodeId id, const auto& due) { changes.prunes.emplace_back(id, due); });
    changes.totals = totals;
    deps_.resident.apply(std::move(changes));
}

}  // namespace objstore
