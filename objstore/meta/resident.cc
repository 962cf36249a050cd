#include "objstore/meta/resident.h"

#include <limits>

namespace objstore {

namespace {

template <typename Map, typename Key>
auto find_row(const Map& map, const Key& key) {
    const auto it = map.find(key);
    return it == map.end() ? std::nullopt : std::optional(it->second);
}

void set_or_erase(std::map<InodeId, UnixNanos>& map, InodeId id, std::optional<UnixNanos> time) {
    if (time) {
        map[id] = *time;
    } else {
        map.erase(id);
    }
}

}  // namespace

void Resident::State::put_bucket(InodeId id, std::optional<BucketRow> row) {
    if (const auto old = buckets.find(id); old != buckets.end()) {
        // Another bucket may have the name by now.
        const auto name = bucket_names.find(old->second.name);
        if (name != bucket_names.end() && name->second == id) bucket_names.erase(name);
        buckets.erase(old);
    }
    if (!row) return;
    bucket_names[row->name] = id;
    buckets.emplace(id, std::move(*row));
}

Status Resident::load(const RowReader& rows) {
    State state;
    TRY_ASSIGN(std::vector<BucketRow> buckets, rows.buckets());
    for (BucketRow& row : buckets) {
        const InodeId id = row.inode;
        state.put_bucket(id, std::move(row));
    }
    TRY_ASSIGN(const std::vector<VolumeRow> volumes, rows.volumes());
    for (const VolumeRow& row : volumes) {
        state.volumes.emplace(row.id, row);
        state.totals.live_bytes += row.live_bytes;
    }
    TRY_ASSIGN(const std::vector<OrphanRow> orphans,
               rows.orphans(std::numeric_limits<std::size_t>::max()));
    for (const OrphanRow& row : orphans) state.orphans.emplace(row.inode, row.since);
    TRY_ASSIGN(const std::vector<PruneRow> prunes, rows.prunes());
    for (const PruneRow& row : prunes) state.prunes.emplace(row.directory, row.due);
    TRY_ASSIGN(state.totals.inline_bytes, rows.inline_bytes());
    TRY_ASSIGN(const StateRow stored, rows.state());
    state.totals.inodes = stored.inodes;
    state_.with([&](State& now) { now = std::move(state); });
    return {};
}

void Resident::apply(Changes changes) {
    state_.with([&](State& state) {
        for (auto& [id, row] : changes.buckets) state.put_bucket(id, std::move(row));
        for (const VolumeRow& row : changes.volumes) {
            VolumeRow& now = state.volumes[row.id];
            state.totals.live_bytes += row.live_bytes - now.live_bytes;
            now = row;
        }
        for (const auto& [id, since] : changes.orphans) set_or_erase(state.orphans, id, since);
        for (const auto& [id, due] : changes.prunes) set_or_erase(state.prunes, id, due);
        state.totals.inline_bytes = changes.totals.inline_bytes;
        state.totals.inodes = changes.totals.inodes;
    });
}

std::optional<BucketRow> Resident::bucket(std::string_view name) const {
    return state_.with([&](const State& state) -> std::optional<BucketRow> {
        const auto it = state.bucket_names.find(name);
        if (it == state.bucket_names.end()) return std::nullopt;
        return find_row(state.buckets, it->second);
    });
}

std::optional<BucketRow> Resident::bucket_by_inode(InodeId id) const {
    return state_.with([&](const State& state) { return find_row(state.buckets, id); });
}

std::vector<BucketRow> Resident::buckets() const {
    return state_.with([](const State& state) {
        std::vector<BucketRow> rows;
        rows.reserve(state.buckets.size());
        for (const auto& [name, id] : state.bucket_names) rows.push_back(state.buckets.at(id));
        return rows;
    });
}

std::optional<VolumeRow> Resident::volume(VolumeId id) const {
    return state_.with([&](const State& state) { return find_row(state.volumes, id); });
}

std::vector<VolumeRow> Resident::volumes() const {
    return state_.with([](const State& state) {
        std::vector<VolumeRow> rows;
        rows.reserve(state.volumes.size());
        for (const auto& [id, row] : state.volumes) rows.push_back(row);
        return rows;
    });
}

std::optional<UnixNanos> Resident::orphan_since(InodeId id) const {
    return state_.with([&](const State& state) { return find_row(state.orphans, id); });
}

std::vector<InodeId> Resident::orphans(std::size_t limit) const {
    return state_.with([&](const State& state) {
        std::vector<InodeId> ids;
        for (const auto& [id, since] : state.orphans) {
            if (ids.size() == limit) break;
            ids.push_back(id);
        }
        return ids;
    });
}

std::vector<InodeId> Resident::prunes_due(UnixNanos now, std::size_t limit) const {
    return state_.with([&](const State& state) {
        std::vector<InodeId> ids;
        for (const auto& [id, due] : state.prunes) {
            if (ids.size() == limit) break;
            if (due <= now) ids.push_back(id);
        }
        return ids;
    });
}

MetaStore::Totals Resident::totals() const {
    return state_.with([](const State& state) {
        MetaStore::Totals totals = state.totals;
        totals.upkeep_waiting = state.orphans.size() + state.prunes.size();
        return totals;
    });
}

}  // namespace objstore
