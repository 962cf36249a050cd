// LocalVfs: looking up, removing, linking and renaming names.
#include <fmt/format.h>

#include "fs/vfs/local_file.h"
#include "fs/vfs/names.h"
#include "fs/vfs/permission.h"

namespace fs {

using objstore::Code;
using objstore::InodePtr;
using objstore::OpResult;
using objstore::Why;

namespace {

Status root_is_for_buckets() {
    return Status::permission_denied("the root holds buckets alone", Why::not_permitted);
}

}  // namespace

Result<Attributes> LocalVfs::lookup(const Credentials& who,
                                    InodeId directory_id,
                                    std::string_view name) {
    TRY(check_name(name));
    TRY(directory(who, directory_id, kMayExecute).error());
    TRY_ASSIGN(const InodePtr found, find(directory_id, name));
    touch(*found);
    return attributes(*found);
}

std::optional<Result<Attributes>> LocalVfs::try_lookup(const Credentials& who,
                                                       InodeId directory_id,
                                                       std::string_view name) {
    if (Status status = check_name(name); !status.ok()) return status;
    const InodePtr parent = names().cached_inode(directory_id);
    if (parent == nullptr) return std::nullopt;
    if (!parent->is_directory()) return Status::conflict("no directory", Why::not_directory);
    if (Status status = check_access(who, *parent, kMayExecute); !status.ok()) return status;
    touch(*parent);
    std::string with_slash(name);
    with_slash += '/';
    auto found = names().cached_lookup(directory_id, with_slash);
    if (found && found->inode == nullptr) found = names().cached_lookup(directory_id, name);
    if (!found) return std::nullopt;
    if (found->inode == nullptr) return Status::not_found("no such name");
    touch(*found->inode);
    return attributes(*found->inode);
}

Result<Attributes> LocalVfs::lookup_parent(const Credentials& who, InodeId directory_id) {
    TRY_ASSIGN(const InodePtr inode, directory(who, directory_id, kMayExecute));
    if (directory_id == kRootInode) return attributes(*inode);
    if (inode->parent == 0) return Status::not_found("the directory was removed", Why::stale);
    return getattr(inode->parent);
}

Result<NameChange> LocalVfs::link(const Credentials& who,
                                  InodeId id,
                                  InodeId directory_id,
                                  std::string_view name) {
    TRY(check_name(name));
    if (directory_id == kRootInode) return root_is_for_buckets();
    TRY(directory(who, directory_id, kMayWrite | kMayExecute).error());
    TRY_ASSIGN(const InodePtr inode, names().getattr(id));
    if (inode->is_directory()) {
        return Status::permission_denied("directories have one name", Why::not_permitted);
    }
    TRY(check_path(directory_id, name));
    objstore::LinkOp op;
    op.inode = id;
    op.parent = directory_id;
    op.name = name;
    op.time = deps_.clock.now();
    TRY_ASSIGN(const OpResult result, deps_.engine.apply(std::move(op), call_options(who)));
    return name_change(result);
}

Result<NameChange> LocalVfs::unlink(const Credentials& who,
                                    InodeId directory_id,
                                    std::string_view name) {
    TRY(check_name(name));
    if (directory_id == kRootInode) return root_is_for_buckets();
    if (!who.checked) {
        TRY_ASSIGN(const InodePtr parent, directory(who, directory_id, kMayWrite | kMayExecute));
        TRY_ASSIGN(const InodePtr child, find(directory_id, name));
        TRY(check_remove(who, *parent, *child));
    }
    objstore::UnlinkOp op;
    op.parent = directory_id;
    op.name = name;
    op.time = deps_.clock.now();
    TRY_ASSIGN(const OpResult result, deps_.engine.apply(std::move(op), call_options(who)));
    return name_change(result);
}

Result<NameChange> LocalVfs::rmdir(const Credentials& who,
                                   InodeId directory_id,
                                   std::string_view name) {
    TRY(check_name(name));
    if (directory_id == kRootInode) return remove_bucket(who, name);
    if (!who.checked) {
        TRY_ASSIGN(const InodePtr parent, directory(who, directory_id, kMayWrite | kMayExecute));
        TRY_ASSIGN(const InodePtr child, find(directory_id, name));
        TRY(check_remove(who, *parent, *child));
    }
    objstore::RmdirOp op;
    op.parent = directory_id;
    op.name = name;
    op.time = deps_.clock.now();
    TRY_ASSIGN(const OpResult result, deps_.engine.apply(std::move(op), call_options(who)));
    return name_change(result);
}

Result<NameChange> LocalVfs::remove_bucket(const Credentials& who, std::string_view name) {
    if (who.uid != 0) return root_is_for_buckets();
    // S3 takes a bucket of directories alone for empty; who says rmdir does not.
    TRY_ASSIGN(const InodePtr bucket, find(objstore::kRootInode, name));
    TRY_ASSIGN(const auto inside, names().list({.parent = bucket->id, .limit = 1}));
    if (!inside.empty()) return Status::conflict("the bucket is not empty", Why::not_empty);
    objstore::DeleteBucketOp op;
    op.name = name;
    op.time = deps_.clock.now();
    TRY_ASSIGN(const OpResult result, deps_.engine.apply(std::move(op), call_options(who)));
    return name_change(result);
}

Status LocalVfs::check_rename(const Credentials& who, const NameAt& from, const NameAt& to) {
    if (who.checked) return {};
    TRY_ASSIGN(const InodePtr source, directory(who, from.directory, kMayWrite | kMayExecute));
    TRY_ASSIGN(const InodePtr target, directory(who, to.directory, kMayWrite | kMayExecute));
    TRY_ASSIGN(const InodePtr moved, find(from.directory, from.name));
    TRY(check_remove(who, *source, *moved));
    if (moved->is_directory() && from.directory != to.directory) {
        TRY(check_access(who, *moved, kMayWrite));  // Its ".." changes.
    }
    const auto replaced = find(to.directory, to.name);
    if (replaced.ok()) return check_remove(who, *target, **replaced);
    return replaced.code() == Code::not_found ? Status() : replaced.error();
}

Result<NameChange> LocalVfs::rename(const Credentials& who,
                                    const NameAt& from,
                                    const NameAt& to,
                                    RenameFlags flags) {
    TRY(check_name(from.name));
    TRY(check_name(to.name));
    if (from.directory == kRootInode || to.directory == kRootInode) return root_is_for_buckets();
    TRY(check_rename(who, from, to));
    if (from.directory != to.directory || to.name.size() > from.name.size()) {
        TRY(check_path(to.directory, to.name));
    }
    objstore::RenameOp op;
    op.parent = from.directory;
    op.name = from.name;
    op.new_parent = to.directory;
    op.new_name = to.name;
    op.no_replace = flags.no_replace;
    op.exchange = flags.exchange;
    op.time = deps_.clock.now();
    TRY_ASSIGN(const OpResult result, deps_.engine.apply(std::move(op), call_options(who)));
    return name_change(result);
}

}  // namespace fs
