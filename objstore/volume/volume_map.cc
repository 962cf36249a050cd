#include "objstore/volume/volume_map.h"

namespace objstore {

Volume::Volume(const VolumeRow& row, const Codec& codec, const DiskSet& disks)
    : id_(row.id), codec_(codec) {
    disks_.fill(-1);
    for (int i = 0; i < row.geometry.shards(); ++i) {
        const auto shard = static_cast<std::size_t>(i);
        disks_.at(shard) = static_cast<std::int8_t>(disks.find(row.disks.at(shard)));
    }
}

Volume* VolumeMap::find(VolumeId id) const {
    const Part& p = part(id);
    const std::shared_lock lock(p.mutex);
    const auto found = p.volumes.find(id);
    return found == p.volumes.end() ? nullptr : found->second.get();
}

Volume* VolumeMap::add(const VolumeRow& row) {
    auto volume = std::make_unique<Volume>(row, codec(row.geometry), disks_);
    Part& p = part(row.id);
    const std::unique_lock lock(p.mutex);
    const auto [at, added] = p.volumes.try_emplace(row.id, std::move(volume));
    return added ? at->second.get() : nullptr;
}

void VolumeMap::remove(VolumeId id) {
    Part& p = part(id);
    const std::unique_lock lock(p.mutex);
    p.volumes.erase(id);
}

const Codec& VolumeMap::codec(Geometry geometry) {
    return codecs_.with([&](auto& codecs) -> const Codec& {
        auto& codec = codecs[geometry];
        if (codec == nullptr) codec = std::make_unique<Codec>(geometry);
        return *codec;
    });
}

}  // namespace objstore
