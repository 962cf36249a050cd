#pragma once

#include <atomic>
#include <optional>
#include <vector>

#include "objstore/volume/shard_file.h"
#include "objstore/volume/volume_map.h"

namespace objstore {

// Brings volumes that a stop left open to their end. Whole stripes stay, named or not: should the
// namespace be older than it says, they are what can be saved. What follows the last of them is
// garbage, which is cut when all shards are at hand, and a file that has its footer is never cut.
// A volume is sealed when all its shards have footers; until then each start tries again.
// Interrupted at any point, the next start does it again. Threads: `begin`, then `finish` in one
// other; `stop` any.
class Recovery final {
public:
    struct Deps {
        const VolumeMap& volumes;
        DiskSet& disks;
        Executor& executor;
        VolumeCatalog& catalog;
        spdlog::logger& log;
        std::uint64_t node = 0;  // ours: volumes of others are theirs to end
        std::array<std::uint64_t, 2> deployment{};
    };
    explicit Recovery(Deps deps) : deps_(deps) {}

    // Takes the open ones of this node among `rows`. unsupported: one is a newer version's.
    Status begin(const std::vector<VolumeRow>& rows);
    // Gives them their footers and seals them. Reads all stripe headers of those without any: for
    // the background.
    void finish();
    // Makes `finish` return soon.
    void stop() { stopping_ = true; }

private:
    using Index = std::vector<FooterEntry>;
    // A shard file as it was found. With an error it is left alone.
    struct Shard {
        Status status;
        std::uint64_t size = 0;
        std::optional<Footer> footer;
    };
    struct End {
        std::uint64_t length = 0;
        Index index;
        std::uint64_t payload_bytes() const;
    };

    int disk_of(const VolumeRow& row, int shard) const;
    Result<std::unique_ptr<File>> open(const VolumeRow& row, int shard, OpenMode mode);
    Status check_superblock(const VolumeRow& row, int shard, const File& file) const;
    Status look_at(const VolumeRow& row, int shard, Shard& found);
    Result<std::vector<Shard>> look(const VolumeRow& row);
    Result<End> find_end(const VolumeRow& row, const std::vector<Shard>& shards);
    Result<Index> walk(const VolumeRow& row, int shard, std::uint64_t size);
    Result<Index> walk_all(const VolumeRow& row, const std::vector<Shard>& shards);
    Status write_footers(const VolumeRow& row, const std::vector<Shard>& shards, const End& end);
    Status recover(const VolumeRow& row);

    const Deps deps_;
    std::atomic<bool> stopping_{false};
    std::vector<VolumeRow> left_;
};

}  // namespace objstore
