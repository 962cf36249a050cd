#pragma once

#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>

#include "objstore/base/guarded.h"
#include "objstore/erasure/codec.h"
#include "objstore/volume/disk_set.h"
#include "objstore/volume/file_cache.h"

namespace objstore {

// What reading a volume takes. All but the open files is fixed from birth.
class Volume final {
public:
    Volume(const VolumeRow& row, const Codec& codec, const DiskSet& disks);

    VolumeId id() const { return id_; }
    Geometry geometry() const { return codec_.geometry(); }
    const Codec& codec() const { return codec_; }
    // The place of shard's disk in the DiskSet; -1: it is not one of ours.
    int disk_of(int shard) const { return disks_.at(static_cast<std::size_t>(shard)); }
    // Files opened for reading.
    FileSlot& file(int shard) { return files_.at(static_cast<std::size_t>(shard)); }

private:
    const VolumeId id_;
    const Codec& codec_;
    std::array<std::int8_t, kShardsMax> disks_;
    std::array<FileSlot, kShardsMax> files_;
};

// All volumes by id. Threads: any; lookups of different volumes rarely share a lock.
class VolumeMap final {
public:
    explicit VolumeMap(const DiskSet& disks) : disks_(disks) {}

    // Null: there is none. Stays valid until it is removed.
    Volume* find(VolumeId id) const;
    // Null: the id is taken.
    Volume* add(const VolumeRow& row);
    // Only of a volume that nothing ever named.
    void remove(VolumeId id);

private:
    static constexpr std::size_t kParts = 64;
    struct Part {
        mutable std::shared_mutex mutex;
        std::unordered_map<VolumeId, std::unique_ptr<Volume>> volumes;
    };

    Part& part(VolumeId id) const { return parts_.at(id % kParts); }
    const Codec& codec(Geometry geometry);

    const DiskSet& disks_;
    mutable std::array<Part, kParts> parts_;
    Guarded<std::map<Geometry, std::unique_ptr<Codec>>> codecs_;
};

}  // namespace objstore
