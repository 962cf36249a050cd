#pragma once

#include <bitset>
#include <optional>
#include <set>

#include "objstore/volume/open_volume.h"

namespace objstore {

// Makes new volumes on disks that are well: as wide as the geometry asks, narrower when there are
// fewer disks, never with shards missing. Threads: any.
class VolumeMaker final {
public:
    struct Options {
        Geometry geometry;
        OpenVolume::Limits limits;
        std::uint64_t node = 0;
        std::array<std::uint64_t, 2> deployment{};
    };
    struct Deps {
        VolumeMap& volumes;
        DiskSet& disks;
        FileCache& files;
        Executor& executor;
        Random& random;
        const Clock& clock;
        VolumeCatalog& catalog;
        StripeOrder& order;
    };
    VolumeMaker(Options options,
                Deps deps,
                std::function<void(std::shared_ptr<OpenVolume>)> drained)
        : options_(options), deps_(deps), drained_(std::move(drained)) {}

    // What a volume made now would have. unavailable: fewer than parity + 1 disks are well.
    // no_space: the others are full.
    Result<Geometry> wanted_geometry() const;
    // A volume whose files, names and row are durable. Disks that fail on the way are left out.
    // Errors as wanted_geometry, or the catalog's.
    Result<std::shared_ptr<OpenVolume>> make();

private:
    struct Plan {
        VolumeRow row;
        std::vector<int> disks;  // of shard 0, 1 ...
    };
    using Files = std::vector<std::unique_ptr<File>>;

    Result<Plan> plan();
    Result<std::shared_ptr<OpenVolume>> make_planned(const Plan& plan, Volume& volume);
    Result<std::unique_ptr<File>> make_file(const Plan& plan, int shard);
    Status make_directory(int disk, VolumeId id);
    void remove_files(const Plan& plan);

    const Options options_;
    const Deps deps_;
    const std::function<void(std::shared_ptr<OpenVolume>)> drained_;
    // Directories vol/XX that are known to be durable, as disk * 256 + XX.
    Guarded<std::set<int>> directories_;
};

}  // namespace objstore
