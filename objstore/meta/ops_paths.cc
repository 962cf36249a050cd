#include "objstore/meta/ops_paths.h"

#include <fmt/format.h>

#include "objstore/meta/ops_keys.h"
#include "objstore/meta/ops_tree.h"

namespace objstore {

namespace {

Result<InodeId> make_implied(Tables& tables, const BucketRow& bucket, Entry entry, UnixNanos time) {
    Inode inode;
    inode.id = entry.inode != 0 ? entry.inode : tables.next_id();
    inode.type = FileType::directory;
    inode.mode = bucket.directory_mode & 07777;
    inode.uid = bucket.uid;
    inode.gid = bucket.gid;
    inode.nlink = 2;
    inode.atime = inode.mtime = inode.ctime = inode.btime = time;
    inode.change = 1;
    inode.bucket = bucket.inode;
    inode.parent = entry.parent;
    inode.name = entry.name;
    inode.etag = etag_of_nothing();
    inode.directory.kind = DirectoryKind::implied;
    entry.inode = inode.id;
    tables.add_inode(std::move(inode));
    TRY(add_name(tables, entry, {.time = time}));
    return entry.inode;
}

}  // namespace

Result<BucketRow> find_bucket(Tables& tables, InodeId bucket) {
    TRY_ASSIGN(auto row, tables.bucket_by_inode(bucket));
    if (!row) {
        return Status::not_found(fmt::format("there is no bucket {}", bucket), Why::no_bucket);
    }
    return *std::move(row);
}

Result<KeyPlace> find_key(Tables& tables, InodeId bucket, std::string_view key) {
    const auto names = split_key(key);
    InodeId directory = bucket;
    for (std::size_t i = 0; i + 1 < names.size(); ++i) {
        TRY_ASSIGN(const auto entry, tables.entry(directory, names[i]));
        if (!entry) return KeyPlace{std::nullopt, names.back(), std::nullopt};
        directory = entry->inode;
    }
    TRY_ASSIGN(auto entry, tables.entry(directory, names.back()));
    return KeyPlace{directory, names.back(), std::move(entry)};
}

Result<InodeId> make_directories(Tables& tables,
                                 const BucketRow& bucket,
                                 std::span<const std::string_view> names,
                                 UnixNanos time,
                                 InodeId last_id) {
    InodeId directory = bucket.inode;
    for (const std::string_view& name : names) {
        TRY_ASSIGN(const auto entry, tables.entry(directory, name));
        if (entry) {
            directory = entry->inode;
            continue;
        }
        Entry fresh{.parent = directory,
                    .name = std::string(name),
                    .inode = &name == &names.back() ? last_id : 0,
                    .type = FileType::directory,
                    .cookie = tables.next_id(),
                    .last_modified = time};
        TRY_ASSIGN(directory, make_implied(tables, bucket, std::move(fresh), time));
    }
    return directory;
}

}  // namespace objstore
