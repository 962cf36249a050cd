#include "objstore/meta/sqlite_store.h"

#include <algorithm>
#include <condition_variable>
#include <limits>
#include <mutex>

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sqlite3.h>

#include "objstore/disk/path.h"
#include "objstore/meta/sqlite_wal.h"

namespace objstore {

namespace {

// Of one inode: some gigabytes written in a row.
constexpr std::size_t kCachedExtentsMax = 1024;

// The first version in which a checkpoint cannot race with a log that begins anew.
constexpr int kFixedVersion = 3'051'003;
constexpr std::size_t kUpkeepMax = 1000;  // inodes a call
constexpr std::size_t kUpkeepStep = 8;    // of them at once: each may have many extents

Connection::Options connection_options(const SqliteStore::Options& options,
                                       const SqliteVfs& vfs,
                                       bool read_only) {
    return {options.path,
            vfs.name(),
            read_only,
            read_only ? options.reader_cache_kib : options.writer_cache_kib};
}

// Pages reach the database file after the commit that they are from was published.
SqliteVfsOptions vfs_options(const SqliteStore::Options& from,
                             spdlog::logger& log,
                             const Published& published) {
    SqliteVfsOptions options;
    options.wal_step_bytes = from.wal_step_bytes;
    options.sequence = [&published] { return published.get(); };
    options.on_error = [&log](const Status& status) {
        log.error("namespace: {}", status.message());
    };
    return options;
}

Status absent(InodeId id) {
    return Status::not_found(fmt::format("inode {}", id), Why::stale);
}
Status absent(InodeId parent, std::string_view name) {
    return Status::not_found(fmt::format("entry {}/{}", parent, name));
}

// A sync may have failed in a process that then ended.
Status rewrite_log(Disk& disk, const std::string& path, spdlog::logger& log) {
    auto opened = disk.open(path, OpenMode::write);
    if (opened.code() == Code::not_found) return {};
    TRY_ASSIGN(const auto file, std::move(opened));
    auto lost_bytes = rewrite_sqlite_wal(*file);
    if (lost_bytes.ok()) {
        if (*lost_bytes == 0) return {};
        log.warn(
            "namespace: {} bytes past the end of {}/{} could not be read, and were written anew",
            *lost_bytes,
            disk.name(),
            path);
        return {};
    }
    return std::move(lost_bytes)
        .error()
        .with_context(
            fmt::format("{} can not be read or written where it may hold acknowledged changes; try "
                        "the disk again, or put a "
                        "copy of the file on a healthy one (docs/durability.md, After a crash)",
                        split_disk_path(path).second));
}

// The extents of an inode that touch a range.
std::vector<Extent> overlapping(const std::vector<Extent>& extents, RowReader::Range range) {
    const auto first =
        std::partition_point(extents.begin(), extents.end(), [&](const Extent& extent) {
            return extent.end() <= range.from;
        });
    const auto last = std::partition_point(
        first, extents.end(), [&](const Extent& e) { return e.logical_offset < range.to; });
    return {first, last};
}

// That the row has the bytes that the extent was made for.
Status check_inline(const Extent& extent, const InlineRow& row) {
    const bool whole = extent.payload_offset == 0 && extent.length == row.bytes.size();
    if (whole && extent.has_crc && extent.crc != row.crc) {
        return Status::corruption(fmt::format("inline bytes {} are others", row.id));
    }
    return check_bytes(row);
}

bool any_inline(const std::vector<Extent>& extents) {
    return std::any_of(extents.begin(), extents.end(), [](const Extent& extent) {
        return extent.kind == ExtentKind::inline_data;
    });
}

}  // namespace

SqliteStore::SqliteStore(Options options, const Deps& deps)
    : options_(std::move(options)),
      deps_(deps),
      vfs_(deps.disk,
           fmt::format("ashlar-{}", fmt::ptr(this)),
           vfs_options(options_, deps.log, published_)),
      caches_(options_.cache_bytes),
      recent_(deps.clock),
      readers_(connection_options(options_, vfs_, true), options_.readers),
      writer_(options_.writer,
              {connection_options(options_, vfs_, false),
               options_.deployment,
               readers_,
               caches_,
               resident_,
               holds_,
               recent_,
               ids_,
               published_,
               durable_,
               deps.clock,
               deps.log}) {}

SqliteStore::~SqliteStore() {
    const Status stopped = stop();
    if (!stopped.ok()) deps_.log.error("namespace: stop: {}", stopped.message());
}

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(Options options, const Deps& deps) {
    std::unique_ptr<SqliteStore> store(new SqliteStore(std::move(options), deps));
    store->log_version();
    Status status = store->prepare_files();
    if (status.ok()) status = store->writer_.start(store->options_.create);
    if (!status.ok()) {
        return std::move(status).with_context(
            fmt::format("{}/{}", deps.disk.name(), store->options_.path));
    }
    return std::unique_ptr<SqliteStore>(std::move(store));
}

void SqliteStore::log_version() const {
    deps_.log.info("namespace: sqlite {}", sqlite3_libversion());
    if (sqlite3_libversion_number() >= kFixedVersion) return;
    // Not a danger here, where one thread alone writes and checkpoints; but who opens the file with
    // another program should know.
    deps_.log.warn(
        "namespace: sqlite is older than 3.51.3, which fixes the WAL-reset bug: "
        "never open {}/{} with another program while the server runs",
        deps_.disk.name(),
        options_.path);
}

Status SqliteStore::prepare_files() {
    const std::string folder(split_disk_path(options_.path).first);
    if (!options_.create) {
        const auto there = deps_.disk.open(options_.path, OpenMode::read);
        TRY(there.error());
    } else if (!folder.empty()) {
        TRY(deps_.disk.make_dir(folder));
        TRY(deps_.disk.sync_dir(split_disk_path(folder).first));
    }
    if (options_.log_is_recovered) return {};
    return rewrite_log(deps_.disk, options_.path + "-wal", deps_.log);
}

void SqliteStore::submit(Txn txn, Completion done) {
    writer_.submit(std::move(txn), std::move(done));
}

Status SqliteStore::sync() {
    return commit(Txn{}).status;
}

Status SqliteStore::stop() {
    return writer_.stop();
}

template <typename Cache, typename Key>
auto SqliteStore::find_cached(Cache& cache, const Key& key) {
    auto found = cache.find(key);
    // In the moment in which a commit goes into the caches, one may show it before another does.
    if (found.value && found.sequence > published_.get() && !published_.wait_for(found.sequence)) {
        found.value.reset();
    }
    return std::move(found.value);
}

template <typename Fn>
auto SqliteStore::read(Fn&& fn) -> decltype(fn(std::declval<RowReader&>(), std::uint64_t{})) {
    std::uint64_t sequence = 0;
    auto run = [&]() -> decltype(fn(std::declval<RowReader&>(), std::uint64_t{})) {
        TRY_ASSIGN(const ReaderPool::Lease lease, readers_.lease());
        Snapshot snapshot(lease.connection());
        TRY_ASSIGN(sequence, snapshot.begin());
        RowReader rows(lease.connection());
        return fn(rows, sequence);
    };
    auto result = run();
    // Whoever has seen a commit here must not find a cache that does not know it yet.
    if (sequence > published_.get() && !published_.wait_for(sequence)) {
        return Status::unavailable("namespace: a commit does not end");
    }
    return result;
}

Result<InodePtr> SqliteStore::getattr(InodeId id) {
    if (auto cached = find_cached(caches_.inodes, id)) return *std::move(cached);
    return read([&](const RowReader& rows, std::uint64_t sequence) -> Result<InodePtr> {
        TRY_ASSIGN(InodePtr inode, rows.inode(id));
        if (inode == nullptr) return absent(id);
        caches_.inodes.fill(id, inode, sequence);
        return inode;
    });
}

Result<EntryWithInode> SqliteStore::complete(const RowReader& rows, StoredEntry stored) const {
    if (stored.inode == nullptr) {
        TRY_ASSIGN(stored.inode, rows.inode(stored.entry.inode));
    }
    if (stored.inode == nullptr) {
        return Status::corruption(fmt::format("entry {}/{}: inode {} is missing",
                                              stored.entry.parent,
                                              stored.entry.name,
                                              stored.entry.inode));
    }
    return EntryWithInode{std::move(stored.entry), std::move(stored.inode)};
}

Result<std::vector<EntryWithInode>> SqliteStore::complete(const RowReader& rows,
                                                          std::vector<StoredEntry> stored) const {
    std::vector<EntryWithInode> entries;
    entries.reserve(stored.size());
    for (StoredEntry& one : stored) {
        TRY_ASSIGN(EntryWithInode entry, complete(rows, std::move(one)));
        entries.push_back(std::move(entry));
    }
    return entries;
}

Result<EntryWithInode> SqliteStore::lookup(InodeId parent, std::string_view name) {
    const EntryRef key{parent, name};
    if (const auto cached = find_cached(caches_.entries, key)) {
        if (cached->inode == 0) return absent(parent, name);
        if (auto inode = find_cached(caches_.inodes, cached->inode)) {
            return EntryWithInode{cached->entry(key), *std::move(inode)};
        }
    }
    return read([&](const RowReader& rows, std::uint64_t sequence) -> Result<EntryWithInode> {
        TRY_ASSIGN(std::optional<StoredEntry> stored, rows.entry(parent, name));
        EntryKey owned{parent, std::string(name)};
        if (!stored) {
            caches_.entries.fill(std::move(owned), CachedEntry{}, sequence);
            return absent(parent, name);
        }
        TRY_ASSIGN(EntryWithInode found, complete(rows, *std::move(stored)));
        caches_.entries.fill(std::move(owned), CachedEntry::of(found.entry), sequence);
        caches_.inodes.fill(found.entry.inode, found.inode, sequence);
        return found;
    });
}

InodePtr SqliteStore::cached_inode(InodeId id) {
    auto found = caches_.inodes.find(id);
    return found.value && found.sequence <= published_.get() ? *std::move(found.value) : nullptr;
}

std::optional<EntryWithInode> SqliteStore::cached_lookup(InodeId parent, std::string_view name) {
    const EntryRef key{parent, name};
    const auto found = caches_.entries.find(key);
    if (!found.value || found.sequence > published_.get()) return std::nullopt;
    if (found.value->inode == 0) return EntryWithInode{};
    InodePtr inode = cached_inode(found.value->inode);
    if (inode == nullptr) return std::nullopt;
    return EntryWithInode{found.value->entry(key), std::move(inode)};
}

// Listings leave the caches alone: one of a large directory would push out all that is in use.
Result<std::vector<EntryWithInode>> SqliteStore::list(const ListQuery& query) {
    using Entries = Result<std::vector<EntryWithInode>>;
    return read([&](const RowReader& rows, std::uint64_t) -> Entries {
        TRY_ASSIGN(std::vector<StoredEntry> stored, rows.entries(query));
        return complete(rows, std::move(stored));
    });
}

Result<std::vector<EntryWithInode>> SqliteStore::read_directory(InodeId parent,
                                                                std::uint64_t cookie,
                                                                std::size_t limit) {
    using Entries = Result<std::vector<EntryWithInode>>;
    return read([&](const RowReader& rows, std::uint64_t) -> Entries {
        TRY_ASSIGN(std::vector<StoredEntry> stored, rows.entries_by_cookie(parent, cookie, limit));
        return complete(rows, std::move(stored));
    });
}

Result<MetaStore::ContentMap> SqliteStore::content(InodeId id,
                                                   std::uint64_t from,
                                                   std::uint64_t to) {
    if (auto cached = cached_content(id, from, to)) return *std::move(cached);
    return stored_content(id, {from, to});
}

std::optional<MetaStore::ContentMap> SqliteStore::cached_content(InodeId id,
                                                                 std::uint64_t from,
                                                                 std::uint64_t to) {
    ContentMap map;
    map.inode = cached_inode(id);
    if (map.inode == nullptr) return std::nullopt;
    if (map.inode->extents_in_table) {
        const auto found = caches_.tables.find(id);
        if (!found.value || found.sequence > published_.get()) return std::nullopt;
        const ExtentTable& table = **found.value;
        if (table.state != ExtentTable::State::whole) return std::nullopt;
        // In the moment of a publication one cache may be ahead of the other.
        if (table.inode->change != map.inode->change) return std::nullopt;
        map.inode = table.inode;
        map.extents = overlapping(table.extents, {from, to});
    } else {
        map.extents = overlapping(map.inode->extents, {from, to});
    }
    if (any_inline(map.extents)) return std::nullopt;
    map.inlines.resize(map.extents.size());
    return map;
}

Result<MetaStore::ContentMap> SqliteStore::extents(InodeId id,
                                                   std::uint64_t from,
                                                   std::size_t limit) {
    const RowReader::Range range{from, std::numeric_limits<std::uint64_t>::max()};
    const auto embedded = [&](InodePtr inode) {
        ContentMap map;
        map.extents = overlapping(inode->extents, range);
        if (map.extents.size() > limit) map.extents.resize(limit);
        map.inode = std::move(inode);
        return map;
    };
    if (auto cached = find_cached(caches_.inodes, id); cached && !(*cached)->extents_in_table) {
        return embedded(*std::move(cached));
    }
    return read([&](const RowReader& rows, std::uint64_t) -> Result<ContentMap> {
        TRY_ASSIGN(InodePtr inode, rows.inode(id));
        if (inode == nullptr) return absent(id);
        if (!inode->extents_in_table) return embedded(std::move(inode));
        ContentMap map;
        TRY_ASSIGN(map.extents, rows.extents(id, range, limit));
        map.inode = std::move(inode);
        return map;
    });
}

void SqliteStore::remember_table(const RowReader& rows,
                                 const InodePtr& inode,
                                 std::uint64_t sequence) {
    using State = ExtentTable::State;
    ExtentTable table;
    if (const auto before = caches_.tables.find(inode->id).value) {
        if ((*before)->state != State::asked_for) return;
        table.asks = static_cast<std::uint8_t>((*before)->asks + 1);
    }
    if (table.asks >= ExtentTable::kAsksMin) {
        const RowReader::Range all{0, std::numeric_limits<std::uint64_t>::max()};
        auto extents = rows.extents(inode->id, all, kCachedExtentsMax + 1);
        // A rotten page beside those that were asked for is not the caller's business.
        const bool fit =
            extents.ok() && extents->size() <= kCachedExtentsMax && !any_inline(*extents);
        table.state = fit ? State::whole : State::unfit;
        if (fit) table.inode = inode;
        if (fit) table.extents = *std::move(extents);
    }
    caches_.tables.fill(inode->id, std::make_shared<const ExtentTable>(std::move(table)), sequence);
}

Result<MetaStore::ContentMap> SqliteStore::stored_content(InodeId id, RowReader::Range range) {
    return read([&](const RowReader& rows, std::uint64_t sequence) -> Result<ContentMap> {
        ContentMap map;
        TRY_ASSIGN(map.inode, rows.inode(id));
        if (map.inode == nullptr) return absent(id);
        caches_.inodes.fill(id, map.inode, sequence);
        if (map.inode->extents_in_table) {
            constexpr std::size_t kAll = std::numeric_limits<std::size_t>::max();
            TRY_ASSIGN(map.extents, rows.extents(id, range, kAll));
            remember_table(rows, map.inode, sequence);
        } else {
            map.extents = overlapping(map.inode->extents, range);
        }
        map.inlines.resize(map.extents.size());
        for (std::size_t i = 0; i < map.extents.size(); ++i) {
            const Extent& extent = map.extents[i];
            if (extent.kind != ExtentKind::inline_data) continue;
            TRY_ASSIGN(std::optional<InlineRow> row, rows.inline_row(extent.place));
            const std::uint64_t end = extent.payload_offset + extent.length;
            if (!row || row->bytes.size() < end) {
                return Status::corruption(
                    fmt::format("inode {}: inline bytes {} are missing", id, extent.place));
            }
            TRY(check_inline(extent, *row).with_context(fmt::format("inode {}", id)));
            map.inlines[i] = std::make_shared<const std::string>(std::move(row->bytes));
        }
        return map;
    });
}

Result<BucketRow> SqliteStore::bucket(std::string_view name) {
    if (auto row = resident_.bucket(name)) return *std::move(row);
    return Status::not_found(fmt::format("bucket {}", name), Why::no_bucket);
}

Result<BucketRow> SqliteStore::bucket_by_inode(InodeId id) {
    if (auto row = resident_.bucket_by_inode(id)) return *std::move(row);
    return Status::not_found(fmt::format("bucket of inode {}", id), Why::no_bucket);
}

Result<UploadRow> SqliteStore::upload(std::uint64_t id) {
    return read([&](const RowReader& rows, std::uint64_t) -> Result<UploadRow> {
        TRY_ASSIGN(std::optional<UploadRow> row, rows.upload(id));
        if (row && row->bucket != 0) return *std::move(row);
        return Status::not_found(fmt::format("upload {:016x}", id), Why::no_upload);
    });
}

Result<std::vector<UploadRow>> SqliteStore::uploads(InodeId bucket,
                                                    std::string_view key_after,
                                                    std::uint64_t id_after,
                                                    std::size_t limit) {
    using Rows = Result<std::vector<UploadRow>>;
    return read([&](const RowReader& rows, std::uint64_t) -> Rows {
        // Without an id: after all uploads of the key.
        RowReader::UploadPosition after{key_after,
                                        std::numeric_limits<UnixNanos>::max(),
                                        std::numeric_limits<std::int64_t>::max()};
        if (id_after != 0) {
            TRY_ASSIGN(const std::optional<UploadRow> last, rows.upload(id_after));
            // One that is gone by now, as when a client aborts all it lists, no longer tells where
            // among the key's it was: those that are left come again.
            after.initiated = last ? last->initiated : std::numeric_limits<UnixNanos>::min();
            after.id = last ? static_cast<std::int64_t>(id_after)
                            : std::numeric_limits<std::int64_t>::min();
        }
        return rows.uploads(bucket, after, limit);
    });
}

Result<std::vector<PartRow>> SqliteStore::parts(std::uint64_t upload,
                                                std::uint32_t after,
                                                std::size_t limit) {
    return read(
        [&](const RowReader& rows, std::uint64_t) { return rows.parts(upload, after, limit); });
}

Result<std::vector<ObjectPart>> SqliteStore::object_parts(InodeId id) {
    using Parts = Result<std::vector<ObjectPart>>;
    return read([&](const RowReader& rows, std::uint64_t) -> Parts {
        TRY_ASSIGN(auto parts, rows.object_parts(id));
        if (parts.empty()) return absent(id);
        return parts;
    });
}

Result<std::string> SqliteStore::xattr(InodeId id, std::string_view name) {
    const auto none = [&] {
        return Status::not_found(fmt::format("inode {}: xattr {}", id, name), Why::no_attribute);
    };
    TRY_ASSIGN(const InodePtr inode, getattr(id));
    // Kernels ask for security.capability on each write.
    if (!inode->has_xattrs) return none();
    return read([&](const RowReader& rows, std::uint64_t) -> Result<std::string> {
        TRY_ASSIGN(std::optional<XattrRow> row, rows.xattr(id, name));
        if (!row) return none();
        return std::move(row->value);
    });
}

Result<std::vector<XattrRow>> SqliteStore::xattrs(InodeId id) {
    TRY_ASSIGN(const InodePtr inode, getattr(id));
    if (!inode->has_xattrs) return std::vector<XattrRow>();
    return read([&](const RowReader& rows, std::uint64_t) { return rows.xattrs(id); });
}

Result<std::vector<InlineRow>> SqliteStore::inline_rows(std::uint64_t id_after, std::size_t limit) {
    return read(
        [&](const RowReader& rows, std::uint64_t) { return rows.inline_rows(id_after, limit); });
}

Result<std::vector<OrphanRow>> SqliteStore::orphans(std::size_t limit) {
    return read([&](const RowReader& rows, std::uint64_t) { return rows.orphans(limit); });
}

Result<std::string> SqliteStore::setting(std::string_view name) {
    return read([&](const RowReader& rows, std::uint64_t) -> Result<std::string> {
        TRY_ASSIGN(std::optional<std::string> value, rows.setting(name));
        if (value) return *std::move(value);
        return Status::not_found(fmt::format("setting {}", name));
    });
}

Status SqliteStore::hold(InodeId id) {
    holds_.add(id);
    // Only now, when nobody can erase it any more, is it worth asking whether it is there.
    Status status = getattr(id).error();
    if (!status.ok()) release(id);
    return status;
}

void SqliteStore::release(InodeId id) {
    if (!holds_.remove(id) || !resident_.orphan_since(id)) return;
    // Refused when the queue is full: then upkeep reaps it.
    Txn txn;
    txn.ops.emplace_back(ReapOp{id});
    txn.durable = false;
    submit(std::move(txn), [](TxnResult&&) {});
}

// All that `ops` ask for, each in a Txn of its own; the first error.
Status SqliteStore::run_all(std::span<Op> ops) {
    struct Progress {
        std::mutex mutex;
        std::condition_variable done;
        std::size_t left = 0;
        Status first_error;
    } progress;
    progress.left = ops.size();
    for (Op& op : ops) {
        Txn txn;
        txn.ops.push_back(std::move(op));
        txn.durable = false;
        submit(std::move(txn), [&progress](TxnResult&& result) {
            const std::lock_guard lock(progress.mutex);
            if (progress.first_error.ok()) progress.first_error = std::move(result.status);
            if (--progress.left == 0) progress.done.notify_one();
        });
    }
    std::unique_lock lock(progress.mutex);
    progress.done.wait(lock, [&] { return progress.left == 0; });
    return progress.first_error;
}

std::vector<Op> SqliteStore::upkeep_due() {
    std::vector<Op> ops;
    // Enough of them that those which are held do not hide the others.
    for (const InodeId id : resident_.orphans(kUpkeepMax + holds_.count())) {
        if (!holds_.held(id)) ops.emplace_back(ReapOp{id});
    }
    const UnixNanos now = deps_.clock.now();
    for (const InodeId id : resident_.prunes_due(now, kUpkeepMax))
        ops.emplace_back(PruneOp{id, now});
    return ops;
}

Result<bool> SqliteStore::upkeep() {
    std::vector<Op> ops = upkeep_due();
    Status first_error;
    for (std::span<Op> left = ops; !left.empty();) {
        const std::size_t count = std::min(left.size(), kUpkeepStep);
        Status status = run_all(left.first(count));
        if (first_error.ok()) first_error = std::move(status);
        left = left.subspan(count);
    }
    TRY(std::move(first_error));
    return !upkeep_due().empty();
}

}  // namespace objstore
