#pragma once

#include <atomic>
#include <vector>

#include "objstore/volume/shard_file.h"
#include "objstore/volume/volume_map.h"

namespace objstore {

// Brings volumes that a stop left open to their end. All that is named lies below a row's
// named_end and was synced on all shards; past that there is garbage only, which is cut when all
// shards are at hand. Interrupted at any point, the next start does it again. Threads: `begin`,
// then `finish` in one other; `stop` any.
class Recovery final {
public:
    struct Deps {
        const VolumeMap& volumes;
        DiskSet& disks;
        Executor& executor;
        VolumeCatalog& catalog;
        spdlog::logger& log;
        std::uint64_t node = 0;  // ours: volumes of others are theirs to end
    };
    explicit Recovery(Deps deps) : deps_(deps) {}

    // Cuts the open ones of this node among `rows`. Reads none of their bytes.
    void begin(const std::vector<VolumeRow>& rows);
    // Collects their stripe headers into footers, seals them, and puts files that no row knows
    // aside into `lost/`. Reads much of each volume's headers: for the background.
    void finish();
    // Makes `finish` return soon.
    void stop() { stopping_ = true; }

private:
    struct Left {
        VolumeRow row;
        bool complete = false;  // all shards were at hand, and were cut
    };
    using Index = std::vector<FooterEntry>;

    static std::uint64_t end_of(const VolumeRow& row);
    int disk_of(const VolumeRow& row, int shard) const;
    Result<std::unique_ptr<File>> open(const VolumeRow& row, int shard, OpenMode mode);
    bool cut(const VolumeRow& row);
    Status seal(const Left& left);
    Result<Index> walk(const VolumeRow& row, int shard);
    Result<Index> walk_all(const VolumeRow& row);
    Status write_footers(const VolumeRow& row, const Index& index);
    void put_aside(int disk);
    Status put_aside_from(Disk& disk, const std::string& directory);

    const Deps deps_;
    std::atomic<bool> stopping_{false};
    std::vector<Left> left_;
};

}  // namespace objstore
