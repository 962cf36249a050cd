#pragma once

#include <array>
#include <string>
#include <vector>

#include "objstore/base/executor.h"
#include "objstore/volume/format.h"
#include "objstore/volume/volume_map.h"

namespace spdlog {
class logger;
}

namespace objstore {

// Shard files that are not where the namespace says, or of which it says nothing. A volume's row is
// durable before its first stripe, and goes only when there is none: so a file with stripes and
// without a row proves that the namespace lost commits. Threads: one, before the store is in use.
class Strays final {
public:
    struct Deps {
        const VolumeMap& volumes;
        DiskSet& disks;
        Executor& executor;
        spdlog::logger& log;
        std::array<std::uint64_t, 2> deployment{};
    };
    explicit Strays(Deps deps) : deps_(deps) {}

    // Lists all disks at hand. corruption: there are files with stripes and without a row; which,
    // and what to do, says the message, and nothing was changed.
    Status find();
    // Moves files of known volumes back from lost/, and there what has neither row nor stripes.
    void settle();

private:
    struct Stray {
        std::string directory;  // "vol/3f" or "lost"
        std::string name;
        ShardName shard;
        std::string path() const { return directory + '/' + name; }
    };
    struct Found {
        std::vector<Stray> empty;          // without a row, and without stripes
        std::vector<Stray> lost;           // in lost/, and missing from where they belong
        std::vector<std::string> stripes;  // paths of files with stripes and without a row
    };
    enum class Holds { nothing, stripes, unknown };

    Status look(int disk, Found& found);
    Status look_below(int disk, const std::string& directory, Found& found);
    Status look_at_lost(int disk, Found& found);
    bool belongs(int disk, ShardName shard) const;
    Result<Holds> look_into(Disk& disk, const Stray& stray) const;
    bool is_ours(const Superblock& superblock, ShardName shard) const;
    Status refuse() const;
    Status bring_back(Disk& disk, const Stray& stray);
    Status put_aside(Disk& disk, const Stray& stray);

    const Deps deps_;
    std::vector<Found> found_;  // of each disk
};

}  // namespace objstore
