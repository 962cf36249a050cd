#pragma once

#include <memory>
#include <span>
#include <string>

#include "objstore/disk/disk.h"
#include "objstore/meta/meta_store.h"
#include "objstore/meta/reader.h"
#include "objstore/meta/sqlite_vfs.h"
#include "objstore/meta/writer.h"

namespace spdlog {
class logger;
}

namespace objstore {

// The namespace in an SQLite database on a Disk: one writer thread with group commit, read-only
// connections, and exact caches in front. See MetaStore for what it promises and Writer for how.
// Nobody else may open the database. Threads: any. The Deps must outlive it.
class SqliteStore final : public MetaStore {
public:
    struct Options {
        std::string path = "meta/namespace.db";  // on the disk
        std::string deployment;                  // to which it belongs, from the disks' labels
        bool create = true;                      // false: not_found when there is none, or empty
        bool log_is_recovered = false;           // was written anew after whatever ended before
        std::uint64_t wal_step_bytes = SqliteVfsOptions{}.wal_step_bytes;
        std::size_t cache_bytes = 48 * kMiB;  // of inodes and entries together
        std::size_t readers = 4;
        int writer_cache_kib = 32 * 1024;
        int reader_cache_kib = 2 * 1024;
        WriterOptions writer;
    };
    struct Deps {
        Disk& disk;
        const Clock& clock;
        spdlog::logger& log;
    };
    // Recovers and opens, or makes the database with its root directory. unsupported: it has a
    // newer format. conflict: it belongs to another deployment.
    static Result<std::unique_ptr<SqliteStore>> open(Options options, const Deps& deps);
    ~SqliteStore() override;

    void submit(Txn txn, Completion done) override;
    Status sync() override;
    std::uint64_t durable_sequence() override { return durable_.last(); }
    bool is_durable(std::uint64_t sequence) override { return durable_.contains(sequence); }
    InodeId new_inode_id() override { return ids_.next(); }
    Result<bool> upkeep() override;
    Status stop() override;

    Result<InodePtr> getattr(InodeId inode) override;
    Result<EntryWithInode> lookup(InodeId parent, std::string_view name) override;
    InodePtr cached_inode(InodeId inode) override;
    std::optional<EntryWithInode> cached_lookup(InodeId parent, std::string_view name) override;
    Result<std::vector<EntryWithInode>> list(const ListQuery& query) override;
    Result<std::vector<EntryWithInode>> read_directory(InodeId parent,
                                                       std::uint64_t cookie,
                                                       std::size_t limit) override;
    Result<ContentMap> content(InodeId inode, std::uint64_t from, std::uint64_t to) override;
    std::optional<ContentMap> cached_content(InodeId inode,
                                             std::uint64_t from,
                                             std::uint64_t to) override;
    Result<ContentMap> extents(InodeId inode, std::uint64_t from, std::size_t limit) override;
    Result<std::vector<BucketRow>> buckets() override { return resident_.buckets(); }
    Result<BucketRow> bucket(std::string_view name) override;
    Result<BucketRow> bucket_by_inode(InodeId inode) override;
    Result<UploadRow> upload(std::uint64_t id) override;
    Result<std::vector<UploadRow>> uploads(InodeId bucket,
                                           std::string_view key_after,
                                           std::uint64_t id_after,
                                           std::size_t limit) override;
    Result<std::vector<PartRow>> parts(std::uint64_t upload,
                                       std::uint32_t after,
                                       std::size_t limit) override;
    Result<std::vector<ObjectPart>> object_parts(InodeId inode) override;
    Result<std::string> xattr(InodeId inode, std::string_view name) override;
    Result<std::vector<XattrRow>> xattrs(InodeId inode) override;
    Result<std::vector<InlineRow>> inline_rows(std::uint64_t id_after, std::size_t limit) override;
    Result<std::vector<OrphanRow>> orphans(std::size_t limit) override;
    Result<std::vector<VolumeRow>> volumes() override { return resident_.volumes(); }
    Result<std::string> setting(std::string_view name) override;
    Totals totals() override { return resident_.totals(); }

    Status hold(InodeId inode) override;
    void release(InodeId inode) override;
    void touch_directory(InodeId directory) override { recent_.touch(directory); }

private:
    SqliteStore(Options options, const Deps& deps);
    Status prepare_files();
    void log_version() const;

    // A cached value, once every cache shows the commit that it is from.
    template <typename Cache, typename Key>
    auto find_cached(Cache& cache, const Key& key);
    // fn(rows, sequence) -> Result, in one snapshot.
    template <typename Fn>
    auto read(Fn&& fn) -> decltype(fn(std::declval<RowReader&>(), std::uint64_t{}));
    Result<EntryWithInode> complete(const RowReader& rows, StoredEntry stored) const;
    Result<std::vector<EntryWithInode>> complete(const RowReader& rows,
                                                 std::vector<StoredEntry> stored) const;
    Result<ContentMap> stored_content(InodeId inode, RowReader::Range range);
    void remember_table(const RowReader& rows, const InodePtr& inode, std::uint64_t sequence);
    Status run_all(std::span<Op> ops);
    std::vector<Op> upkeep_due();

    const Options options_;
    const Deps deps_;
    SqliteVfs vfs_;
    Caches caches_;
    Resident resident_;
    Holds holds_;
    RecentDirectories recent_;
    IdSource ids_;
    Published published_;
    DurableCommits durable_;
    ReaderPool readers_;
    Writer writer_;
};

}  // namespace objstore
