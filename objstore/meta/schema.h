#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "objstore/base/status.h"
#include "objstore/meta/connection.h"

// The tables of the namespace (docs/formats.md). Names and keys are blobs, ids are 64-bit numbers
// stored with the same bits as signed ones, times are nanoseconds since 1970.
//
//   state        one row: sequence of the last commit; id_limit, above all ids ever given; inodes,
//                their count.
//   entry        a name in a directory, by (parent, name); the name of a directory ends in '/'.
//                ino, type, cookie (also an index: readdir order), last_modified. `record` is the
//                inode's when this is its one name, else null.
//   inode        by ino. parent and name: its one name, whose entry has its record. With hard
//                links, without a name, and for the root: parent 0, name empty, record here.
//   extent       by (ino, logical_offset), of inodes whose record says that they are here.
//   object_parts the list of an object's parts, by ino; its record has their count.
//   bucket, upload, part, xattr, inline_data, shared, orphan, volume: see rows.h, volume_row.h.
//   prune        implied directories to be looked at when `due`.
//   setting      by name. `format.*` are the feature masks and the deployment; `volume.order`:
//   StripeOrder. version, disk, node, lock: for versions, membership and locks; empty so far.
//
// Records (`record`, `body`) begin with their own format number; record.h has their layout.
namespace objstore {

inline constexpr int kSchemaFormat = 1;                // PRAGMA user_version
inline constexpr int kSchemaApplication = 0x41534852;  // PRAGMA application_id: "ASHR"

// Features in use, a bit each. Unknown ones: `compatible` are ignored, `read_only` bar writing,
// `incompatible` bar opening.
struct FeatureMasks {
    std::uint64_t compatible = 0;
    std::uint64_t read_only = 0;
    std::uint64_t incompatible = 0;
};
inline constexpr FeatureMasks kFeaturesKnown{};

// One step of the migration path: from format `from` to `from + 1`, in one transaction.
struct Migration {
    int from = 0;
    Status (*run)(Connection& connection) = nullptr;
};

struct SchemaOptions {
    std::int64_t now = 0;    // of a root directory that is made
    std::string deployment;  // to which the namespace belongs
    bool create = true;
};
// Makes the tables in an empty database, with a root directory; else checks the format and brings
// an older one up to date. unsupported: made by a newer program, or not by this one at all.
// conflict: of another deployment. not_found: it is empty, and to make one was not asked for. After
// an error the database is as before.
Status open_schema(Connection& connection, const SchemaOptions& options);

// The parts of it, for tests of the path itself.
Status check_format(Connection& connection, int format_known);
// Not of a database whose features are unknown: what they forbid may be just this.
Status migrate(Connection& connection, std::span<const Migration> path, int format_wanted);

}  // namespace objstore
