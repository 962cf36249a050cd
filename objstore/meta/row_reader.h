#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "objstore/meta/connection.h"
#include "objstore/meta/inode.h"
#include "objstore/meta/meta_store.h"
#include "objstore/meta/rows.h"

namespace objstore {

// The one row of `state`.
struct StateRow {
    std::uint64_t sequence = 0;  // of the last commit
    std::uint64_t id_limit = 0;  // above all ids ever given
    std::uint64_t inodes = 0;
};

// An entry as stored; `inode` is null when its record is in the inode table.
struct StoredEntry {
    Entry entry;
    InodePtr inode;
};

struct PruneRow {
    InodeId directory = 0;
    UnixNanos due = 0;
};

// Reads rows. Errors of all: io_error, corruption; what is absent is null, nullopt or empty.
// Threads: that of the connection, which must outlive this.
class RowReader final {
public:
    explicit RowReader(Connection& connection) : connection_(connection) {}

    Result<StateRow> state() const;
    Result<InodePtr> inode(InodeId id) const;
    Result<std::optional<StoredEntry>> entry(InodeId parent, std::string_view name) const;
    // In name order; as many as `limit`. Entries whose record is elsewhere come without inode.
    Result<std::vector<StoredEntry>> entries(const ListQuery& query) const;
    // In cookie order, above `cookie`, those that paths can express.
    Result<std::vector<StoredEntry>> entries_by_cookie(InodeId parent,
                                                       std::uint64_t cookie,
                                                       std::size_t limit) const;
    struct Range {
        std::uint64_t from = 0;
        std::uint64_t to = 0;
    };
    // Those that touch the range, in order.
    Result<std::vector<Extent>> extents(InodeId id, Range range, std::size_t limit) const;
    Result<std::vector<BucketRow>> buckets() const;
    Result<std::optional<UploadRow>> upload(std::uint64_t id) const;
    Result<std::optional<UploadRow>> upload_by_inode(InodeId id) const;
    // Ids of a bucket's uploads, the first `limit` in some order.
    Result<std::vector<std::uint64_t>> upload_ids(InodeId bucket, std::size_t limit) const;
    struct UploadPosition {
        std::string_view key;
        UnixNanos initiated = 0;
        std::int64_t id = 0;
    };
    // By (key, initiated, id), those after a position.
    Result<std::vector<UploadRow>> uploads(InodeId bucket,
                                           const UploadPosition& after,
                                           std::size_t limit) const;
    Result<std::vector<PartRow>> parts(std::uint64_t upload,
                                       std::uint32_t after,
                                       std::size_t limit) const;
    Result<std::optional<PartRow>> part(std::uint64_t upload, std::uint32_t number) const;
    Result<std::vector<ObjectPart>> object_parts(InodeId id) const;
    Result<std::optional<XattrRow>> xattr(InodeId id, std::string_view name) const;
    Result<std::vector<XattrRow>> xattrs(InodeId id) const;
    Result<std::optional<InlineRow>> inline_row(std::uint64_t id) const;
    Result<std::vector<InlineRow>> inline_rows(std::uint64_t id_after, std::size_t limit) const;
    Result<std::uint64_t> inline_bytes() const;  // of all together
    Result<std::optional<InlineHead>> inline_head(std::uint64_t id) const;
    // Holders of a place that touch `payload`: `limit` of them, any. Costs no more for others.
    struct Place {
        std::uint64_t volume = 0;
        std::uint64_t place = 0;
    };
    Result<std::vector<SharedRow>> shared(Place place, Range payload, std::size_t limit) const;
    Result<std::vector<OrphanRow>> orphans(std::size_t limit) const;
    Result<std::vector<VolumeRow>> volumes() const;
    Result<std::optional<std::string>> setting(std::string_view name) const;
    Result<std::vector<PruneRow>> prunes() const;

private:
    Status shared_of_class(Place place,
                           std::uint8_t size_class,
                           Range payload,
                           std::size_t limit,
                           std::vector<SharedRow>& found) const;

    Connection& connection_;
};

// Whether a holder covers some of a range of the payload.
bool touches(const SharedRow& holder, RowReader::Range payload);

// The least name above all that begin with `prefix`; none: there is no bound.
std::optional<std::string> prefix_end(std::string_view prefix);

}  // namespace objstore
