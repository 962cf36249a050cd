#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "objstore/base/guarded.h"
#include "objstore/meta/meta_store.h"
#include "objstore/meta/row_reader.h"

namespace objstore {

// The small tables, whole in memory, as of the last published commit: buckets, volumes (one for
// some GiB of data), orphans and prunes. Threads: any; changes are the writer's.
class Resident final {
public:
    // What a commit changed. nullopt: the row is gone.
    struct Changes {
        std::vector<std::pair<InodeId, std::optional<BucketRow>>> buckets;
        std::vector<VolumeRow> volumes;
        std::vector<std::pair<InodeId, std::optional<UnixNanos>>> orphans;
        std::vector<std::pair<InodeId, std::optional<UnixNanos>>> prunes;
        MetaStore::Totals totals;  // live_bytes follows from the volumes
    };

    // Replaces all by what the database has.
    Status load(const RowReader& rows);
    void apply(Changes changes);

    std::optional<BucketRow> bucket(std::string_view name) const;
    std::optional<BucketRow> bucket_by_inode(InodeId id) const;
    std::vector<BucketRow> buckets() const;  // by name
    std::optional<VolumeRow> volume(VolumeId id) const;
    std::vector<VolumeRow> volumes() const;
    std::optional<UnixNanos> orphan_since(InodeId id) const;
    std::vector<InodeId> orphans(std::size_t limit) const;
    std::vector<InodeId> prunes_due(UnixNanos now, std::size_t limit) const;
    MetaStore::Totals totals() const;

private:
    struct State {
        std::map<InodeId, BucketRow> buckets;
        std::map<std::string, InodeId, std::less<>> bucket_names;
        std::map<VolumeId, VolumeRow> volumes;
        std::map<InodeId, UnixNanos> orphans;
        std::map<InodeId, UnixNanos> prunes;
        MetaStore::Totals totals;

        void put_bucket(InodeId id, std::optional<BucketRow> row);
    };
    Guarded<State> state_;
};

}  // namespace objstore
