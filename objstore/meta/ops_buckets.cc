#include <vector>

#include <fmt/format.h>

#include "objstore/meta/ops_apply.h"
#include "objstore/meta/ops_attributes.h"
#include "objstore/meta/ops_keys.h"
#include "objstore/meta/ops_tree.h"

namespace objstore {

namespace {

constexpr std::size_t kPage = 256;
constexpr std::size_t kDirectoriesMax = 10'000;  // removed with a bucket in one operation

Inode bucket_inode(const BucketRow& row) {
    Inode inode;
    inode.id = row.inode;
    inode.type = FileType::directory;
    inode.mode = row.directory_mode & kModeMask;
    inode.uid = row.uid;
    inode.gid = row.gid;
    inode.nlink = 2;
    inode.atime = inode.mtime = inode.ctime = inode.btime = row.created;
    inode.change = 1;
    inode.bucket = row.inode;
    inode.parent = kRootInode;
    inode.name = row.name + '/';
    inode.etag = etag_of_nothing();
    return inode;
}

// The root counts its buckets, but has no use for whether they hold anything.
Status count_bucket(Tables& tables, int by, UnixNanos time) {
    return change_directory(
        tables, kRootInode, {.children = by, .subdirectories = by, .time = time});
}

Status not_empty(std::string_view what) {
    return Status::conflict(fmt::format("the bucket is not empty: {}", what), Why::not_empty);
}

// No path: those of a deep tree would be as large as its depth squared.
struct Directory {
    Entry entry;
    std::size_t parent = 0;  // its place in the list; the bucket is the first
};

// Of what the directory at `at` has under `name`, below the bucket. Where that is too long for a
// key, the end of it.
std::string path_of(const std::vector<Directory>& found, std::size_t at, std::string_view name) {
    std::string path(name);
    for (; at != 0; at = found[at].parent) {
        if (path.size() > kKeyBytesMax) return "..." + path;
        path.insert(0, found[at].entry.name);
    }
    return path;
}

// Adds the directories right below the one at `at` to `found`. conflict (not_empty): there is
// something else.
Status find_directories(Tables& tables, std::size_t at, std::vector<Directory>& found) {
    const InodeId directory = found[at].entry.inode;
    std::string from;
    while (true) {
        TRY_ASSIGN(const auto page, tables.entries(directory, from, kPage));
        for (const Entry& entry : page) {
            const bool is_directory = entry.type == FileType::directory;
            if (!is_directory) return not_empty(path_of(found, at, entry.name));
            TRY_ASSIGN(const Inode* inode, tables.inode(entry.inode));
            if (inode->directory.marker) return not_empty(path_of(found, at, entry.name));
            if (found.size() > kDirectoriesMax) return not_empty("it has over 10,000 directories");
            found.push_back({entry, at});
        }
        if (page.size() < kPage) return {};
        from = page.back().name + '\0';
    }
}

// The bucket's own entry and all directories below, parents first.
Result<std::vector<Directory>> all_directories(Tables& tables, Entry bucket) {
    std::vector<Directory> found{{std::move(bucket)}};
    for (std::size_t at = 0; at < found.size(); ++at) TRY(find_directories(tables, at, found));
    return found;
}

}  // namespace

Status apply_op(const CreateBucketOp& op, Tables& tables, OpResult& result) {
    BucketRow row = op.bucket;
    TRY(check_name(row.name));
    TRY_ASSIGN(const auto old, tables.bucket(row.name));
    if (old) {
        TRY_ASSIGN(result.before, snapshot(tables, old->inode));
        return Status::already_exists(fmt::format("bucket {} exists", row.name),
                                      Why::bucket_exists);
    }
    TRY_ASSIGN(result.parent_before, snapshot(tables, kRootInode));
    if (row.inode == 0) row.inode = tables.next_id();
    result.entry = {.parent = kRootInode,
                    .name = row.name + '/',
                    .inode = row.inode,
                    .type = FileType::directory,
                    .cookie = tables.next_id(),
                    .last_modified = row.created};
    tables.add_inode(bucket_inode(row));
    tables.put_entry(result.entry);
    TRY(count_bucket(tables, 1, row.created));
    TRY_ASSIGN(result.inode, snapshot(tables, row.inode));
    TRY_ASSIGN(result.parent_after, snapshot(tables, kRootInode));
    tables.put_bucket(std::move(row));
    return {};
}

Status apply_op(const DeleteBucketOp& op, Tables& tables, OpResult& result) {
    TRY_ASSIGN(const auto row, tables.bucket(op.name));
    if (!row) {
        return Status::not_found(fmt::format("there is no bucket {}", op.name), Why::no_bucket);
    }
    TRY_ASSIGN(const bool has_uploads, tables.has_uploads(row->inode));
    if (has_uploads) return not_empty("it has uploads in progress");
    TRY_ASSIGN(const auto entry, tables.entry(kRootInode, op.name + '/'));
    if (!entry) return Status::corruption(fmt::format("bucket {} has no entry", op.name));
    TRY_ASSIGN(const auto directories, all_directories(tables, *entry));
    TRY_ASSIGN(result.before, snapshot(tables, row->inode));
    TRY_ASSIGN(result.parent_before, snapshot(tables, kRootInode));
    // Children before parents; what these count no longer matters.
    for (auto at = directories.rbegin(); at != directories.rend(); ++at) {
        tables.erase_entry(at->entry.parent, at->entry.name);
        TRY(lose_name(tables, at->entry.inode, op.time));
    }
    TRY(count_bucket(tables, -1, op.time));
    tables.erase_bucket(row->inode);
    result.entry = *entry;
    TRY_ASSIGN(result.parent_after, snapshot(tables, kRootInode));
    return {};
}

}  // namespace objstore
