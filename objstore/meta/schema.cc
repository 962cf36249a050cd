#include "objstore/meta/schema.h"

#include <fmt/format.h>

#include "objstore/base/number.h"
#include "objstore/meta/row_writer.h"

namespace objstore {

namespace {

constexpr const char* kTables = R"(
CREATE TABLE state(
    id INTEGER PRIMARY KEY, sequence INTEGER NOT NULL, id_limit INTEGER NOT NULL,
    inodes INTEGER NOT NULL);
CREATE TABLE entry(
    parent INTEGER NOT NULL, name BLOB NOT NULL, ino INTEGER NOT NULL, type INTEGER NOT NULL,
    cookie INTEGER NOT NULL, last_modified INTEGER NOT NULL, record BLOB,
    PRIMARY KEY(parent, name)) WITHOUT ROWID;
CREATE INDEX entry_cookie ON entry(parent, cookie);
CREATE TABLE inode(
    ino INTEGER PRIMARY KEY, parent INTEGER NOT NULL, name BLOB NOT NULL, record BLOB);
CREATE TABLE extent(
    ino INTEGER NOT NULL, logical_offset INTEGER NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY(ino, logical_offset)) WITHOUT ROWID;
CREATE TABLE bucket(
    inode INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE, created INTEGER NOT NULL,
    region BLOB NOT NULL, uid INTEGER NOT NULL, gid INTEGER NOT NULL,
    file_mode INTEGER NOT NULL, directory_mode INTEGER NOT NULL, versioning INTEGER NOT NULL,
    owner_from_metadata INTEGER NOT NULL);
CREATE TABLE version(
    parent INTEGER NOT NULL, name BLOB NOT NULL, sequence INTEGER NOT NULL, id BLOB NOT NULL,
    ino INTEGER NOT NULL, kind INTEGER NOT NULL, last_modified INTEGER NOT NULL,
    retain_mode INTEGER NOT NULL, retain_until INTEGER NOT NULL, legal_hold INTEGER NOT NULL,
    record BLOB, PRIMARY KEY(parent, name, sequence)) WITHOUT ROWID;
CREATE TABLE upload(
    id INTEGER PRIMARY KEY, bucket INTEGER NOT NULL, key BLOB NOT NULL, inode INTEGER NOT NULL,
    initiated INTEGER NOT NULL, body BLOB NOT NULL);
CREATE INDEX upload_key ON upload(bucket, key, initiated, id);
CREATE INDEX upload_inode ON upload(inode);
CREATE TABLE part(
    upload INTEGER NOT NULL, number INTEGER NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY(upload, number)) WITHOUT ROWID;
CREATE TABLE object_parts(ino INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE xattr(
    inode INTEGER NOT NULL, name BLOB NOT NULL, value BLOB NOT NULL,
    PRIMARY KEY(inode, name)) WITHOUT ROWID;
CREATE TABLE inline_data(
    id INTEGER PRIMARY KEY, inode INTEGER NOT NULL, generation INTEGER NOT NULL,
    logical_offset INTEGER NOT NULL, crc INTEGER NOT NULL, bytes BLOB NOT NULL);
CREATE TABLE shared(
    volume INTEGER NOT NULL, place INTEGER NOT NULL, size_class INTEGER NOT NULL,
    payload_offset INTEGER NOT NULL, inode INTEGER NOT NULL, logical_offset INTEGER NOT NULL,
    length INTEGER NOT NULL,
    PRIMARY KEY(volume, place, size_class, payload_offset, inode, logical_offset)) WITHOUT ROWID;
CREATE TABLE orphan(inode INTEGER PRIMARY KEY, since INTEGER NOT NULL);
CREATE TABLE volume(
    id INTEGER PRIMARY KEY, data INTEGER NOT NULL, parity INTEGER NOT NULL,
    state INTEGER NOT NULL, disks BLOB NOT NULL, code INTEGER NOT NULL,
    checksum INTEGER NOT NULL, storage_class INTEGER NOT NULL, pool INTEGER NOT NULL,
    node INTEGER NOT NULL, length INTEGER NOT NULL, payload_bytes INTEGER NOT NULL,
    live_bytes INTEGER NOT NULL, named_end INTEGER NOT NULL);
CREATE TABLE disk(id INTEGER PRIMARY KEY, node INTEGER NOT NULL, body BLOB NOT NULL);
CREATE TABLE node(id INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE lock(
    inode INTEGER NOT NULL, kind INTEGER NOT NULL, owner BLOB NOT NULL, start INTEGER NOT NULL,
    end INTEGER NOT NULL, exclusive INTEGER NOT NULL, node INTEGER NOT NULL,
    lease INTEGER NOT NULL, PRIMARY KEY(inode, kind, start, owner)) WITHOUT ROWID;
CREATE TABLE setting(name BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE prune(directory INTEGER PRIMARY KEY, due INTEGER NOT NULL);
INSERT INTO state(id, sequence, id_limit, inodes) VALUES(1, 0, 2, 1);
)";

constexpr const char* kMaskNames[] = {
    "format.compatible", "format.read_only", "format.incompatible"};

constexpr const char* kDeploymentName = "format.deployment";

// From older formats to this one, in order. Format 1 is the first.
constexpr std::span<const Migration> kPath{};

Inode root_directory(std::int64_t now) {
    Inode root;
    root.id = kRootInode;
    root.type = FileType::directory;
    root.mode = 0755;
    root.nlink = 2;
    root.atime = root.mtime = root.ctime = root.btime = now;
    root.directory.kind = DirectoryKind::made;
    return root;
}

// Runs `fn` in a transaction: all of it or nothing.
template <typename Fn>
Status transact(Connection& connection, Fn&& fn) {
    TRY(connection.execute("BEGIN IMMEDIATE"));
    Status status = fn();
    if (status.ok()) status = connection.execute("COMMIT");
    if (!status.ok()) {
        const Status rolled_back = connection.execute("ROLLBACK");
        (void)rolled_back;  // the first error tells more
    }
    return status;
}

Status create(Connection& connection, const SchemaOptions& options) {
    TRY(connection.execute("PRAGMA journal_mode=WAL"));
    return transact(connection, [&]() -> Status {
        TRY(connection.execute(kTables));
        RowWriter rows(connection);
        TRY(rows.insert_inode(root_directory(options.now)));
        for (const char* name : kMaskNames) TRY(rows.put_setting(name, "0"));
        TRY(rows.put_setting(kDeploymentName, options.deployment));
        TRY(connection.execute(fmt::format("PRAGMA application_id={}", kSchemaApplication)));
        return connection.execute(fmt::format("PRAGMA user_version={}", kSchemaFormat));
    });
}

Result<std::uint64_t> read_mask(Connection& connection, const char* name) {
    Cursor cursor(connection, Sql::setting);
    TRY_ASSIGN(const bool found, cursor.bind(name).next());
    if (!found) return Status::corruption(fmt::format("namespace: no {}", name));
    const auto mask = parse_number<std::uint64_t>(cursor.blob(0));
    if (!mask) return Status::corruption(fmt::format("namespace: {} is no number", name));
    return *mask;
}

Status check_features(Connection& connection) {
    constexpr std::uint64_t kKnown[] = {
        kFeaturesKnown.compatible, kFeaturesKnown.read_only, kFeaturesKnown.incompatible};
    constexpr std::size_t kReadOnly = 1;
    for (std::size_t i = kReadOnly; i < std::size(kMaskNames); ++i) {
        TRY_ASSIGN(const std::uint64_t mask, read_mask(connection, kMaskNames[i]));
        if (const std::uint64_t unknown = mask & ~kKnown[i]; unknown != 0) {
            return Status::unsupported(
                fmt::format("the namespace uses features ({}: {:#x}) that this version of ashlar "
                            "does not have; use the newer version that made it",
                            kMaskNames[i],
                            unknown));
        }
    }
    return {};
}

// Volumes of one deployment under the names of another would all be strangers.
Status check_deployment(Connection& connection, const std::string& deployment) {
    Cursor cursor(connection, Sql::setting);
    TRY_ASSIGN(const bool found, cursor.bind(kDeploymentName).next());
    if (!found) return Status::corruption("namespace: it does not say of which deployment it is");
    if (cursor.blob(0) == deployment) return {};
    return Status::conflict(
        fmt::format("the namespace belongs to deployment {}, but the disks are of {}; put back the "
                    "namespace.db of these disks",
                    cursor.blob(0),
                    deployment));
}

}  // namespace

Status check_format(Connection& connection, int format_known) {
    TRY_ASSIGN(const std::int64_t application, connection.number("PRAGMA application_id"));
    if (application != kSchemaApplication) {
        return Status::unsupported("the database is not a namespace of ashlar");
    }
    TRY_ASSIGN(const std::int64_t format, connection.number("PRAGMA user_version"));
    if (format > format_known) {
        return Status::unsupported(
            fmt::format("the namespace has format {}, this version of ashlar knows only up to {}; "
                        "use the newer version that made it",
                        format,
                        format_known));
    }
    return {};
}

Status migrate(Connection& connection, std::span<const Migration> path, int format_wanted) {
    TRY(check_features(connection));
    for (;;) {
        TRY_ASSIGN(const std::int64_t format, connection.number("PRAGMA user_version"));
        if (format == format_wanted) return {};
        const Migration* step = nullptr;
        for (const Migration& candidate : path) {
            if (candidate.from == format) step = &candidate;
        }
        if (step == nullptr) {
            return Status::unsupported(
                fmt::format("the namespace has format {}, from which no way leads to {}",
                            format,
                            format_wanted));
        }
        // The number moves in the same transaction, so a crash leaves one format or the other.
        Status status = transact(connection, [&]() -> Status {
            TRY(step->run(connection));
            return connection.execute(fmt::format("PRAGMA user_version={}", step->from + 1));
        });
        if (!status.ok()) {
            return std::move(status).with_context(
                fmt::format("migration from format {}", step->from));
        }
    }
}

Status open_schema(Connection& connection, const SchemaOptions& options) {
    TRY_ASSIGN(const std::int64_t tables, connection.number("SELECT count(*) FROM sqlite_schema"));
    if (tables == 0) {
        if (!options.create) return Status::not_found("the database has no namespace in it");
        // Also what a crash during `create` left: nothing was ever acknowledged from it.
        TRY(create(connection, options));
    }
    TRY(check_format(connection, kSchemaFormat));
    TRY(check_features(connection));
    TRY(check_deployment(connection, options.deployment));
    return migrate(connection, kPath, kSchemaFormat);
}

}  // namespace objstore
