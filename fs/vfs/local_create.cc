// LocalVfs: making files, directories, links, devices and buckets.
#include <fmt/format.h>
#include <sys/stat.h>

#include "fs/vfs/local_file.h"
#include "fs/vfs/names.h"
#include "fs/vfs/permission.h"
#include "objstore/base/bucket_name.h"

namespace fs {

using objstore::Code;
using objstore::InodePtr;
using objstore::OpResult;
using objstore::Why;

// What a new inode is to be; the wishes are checked as the calls that change them would be.
Result<objstore::Inode> LocalVfs::fresh_inode(const Credentials& who,
                                              FileType type,
                                              const SetAttributes& wish) {
    const UnixNanos now = deps_.clock.now();
    Inode inode;
    inode.type = type;
    inode.mode = wish.mode.value_or(0) & 07777;
    inode.uid = who.uid;
    inode.gid = who.gid;
    inode.atime = inode.mtime = inode.ctime = inode.btime = now;
    SetAttributes more = wish;
    more.mode.reset();
    TRY_ASSIGN(const auto op, plan_setattr(who, inode, more, now));
    inode.uid = op.uid.value_or(inode.uid);
    inode.gid = op.gid.value_or(inode.gid);
    inode.atime = op.atime.value_or(inode.atime);
    inode.mtime = op.mtime.value_or(inode.mtime);
    return inode;
}

// A file in a setgid directory gets its group, and loses setgid by that. Who is in the group, or
// root, has asked for it by this and keeps the bit.
Status LocalVfs::keep_setgid(const Credentials& who, InodeId directory_id, Inode& fresh) {
    if (fresh.is_directory() || (fresh.mode & S_ISGID) == 0) return {};
    TRY_ASSIGN(const InodePtr parent, names().getattr(directory_id));
    if ((parent->mode & S_ISGID) == 0) return {};
    if (who.uid == 0 || in_group(who, parent->gid)) fresh.gid = parent->gid;
    return {};
}

// Of the path from the buckets down. What lies in a directory that is moved is not looked at.
Status LocalVfs::check_path(InodeId directory_id, std::string_view name) {
    std::size_t size_bytes = 1 + name.size();
    for (InodeId id = directory_id; id != kRootInode && id != 0;) {
        TRY_ASSIGN(const InodePtr inode, names().getattr(id));
        size_bytes += inode->name.size();  // with its slash
        if (size_bytes > kPathBytesMax) {
            return Status::invalid_argument("a path of over 4,096 bytes", Why::name_too_long);
        }
        id = inode->parent;
    }
    return {};
}

Result<OpResult> LocalVfs::add(const Credentials& who,
                               InodeId directory_id,
                               std::string_view name,
                               Inode inode) {
    TRY(check_name(name));
    if (directory_id == kRootInode) {
        return Status::permission_denied("the root holds buckets alone", Why::not_permitted);
    }
    if (!who.checked) TRY(directory(who, directory_id, kMayWrite | kMayExecute).error());
    TRY(check_path(directory_id, name));
    TRY(keep_setgid(who, directory_id, inode));
    objstore::CreateOp op;
    op.parent = directory_id;
    op.name = name;
    op.inode = std::move(inode);
    return deps_.engine.apply(std::move(op), call_options(who));
}

// ---- files

Result<Created> LocalVfs::create(const Credentials& who,
                                 InodeId directory_id,
                                 std::string_view name,
                                 const CreateRequest& request) {
    TRY(check_name(name));
    if (directory_id == kRootInode) {
        return Status::permission_denied("the root holds buckets alone", Why::not_permitted);
    }
    TRY_ASSIGN(const InodePtr parent, directory(who, directory_id, kMayExecute));
    Status writable = check_access(who, *parent, kMayWrite);
    if (!writable.ok()) {
        // A name that exists needs no permission to write the directory.
        const auto existing = find(directory_id, name);
        if (existing.ok()) return create_existing(who, *existing, request);
        return existing.code() == Code::not_found ? std::move(writable) : existing.error();
    }
    return create_fresh(who, directory_id, name, request);
}

Result<Created> LocalVfs::create_fresh(const Credentials& who,
                                       InodeId directory_id,
                                       std::string_view name,
                                       const CreateRequest& request) {
    SetAttributes wish = request.attributes;
    wish.mode = request.mode;
    objstore::CreateOp op;
    op.parent = directory_id;
    op.name = name;
    TRY(check_path(directory_id, name));
    TRY_ASSIGN(op.inode, fresh_inode(who, FileType::regular, wish));
    TRY(keep_setgid(who, directory_id, op.inode));
    if (request.how == CreateRequest::How::exclusive) op.inode.verifier = request.verifier;
    OpResult failed;
    auto result = deps_.engine.apply(std::move(op), call_options(who), &failed);
    if (result.code() == Code::already_exists && failed.before != nullptr) {
        return create_existing(who, failed.before, request);
    }
    if (!result.ok()) return result.error();
    Created created;
    if (request.open) {
        TRY_ASSIGN(NodeRef node, nodes_.acquire(result->inode->id));
        created.file = std::make_unique<LocalFile>(*this, std::move(node), *request.open);
    }
    created.change = name_change(*result);
    if (wish.size.value_or(0) > 0) {
        TRY(set_size(who, *result->inode, wish, created.file.get()));
        TRY_ASSIGN(created.change.attributes, getattr(result->inode->id));
    }
    return created;
}

Result<Created> LocalVfs::create_existing(const Credentials& who,
                                          const InodePtr& inode,
                                          const CreateRequest& request) {
    using How = CreateRequest::How;
    // A client that heard no answer asks once more with the same verifier. 0 is everybody's.
    const bool same = request.how == How::exclusive && inode->is_regular() &&
                      request.verifier != 0 && inode->verifier == request.verifier;
    if (request.how != How::unchecked && !same) return Status::already_exists("the name is taken");
    if (inode->is_directory()) {
        return Status::conflict("a directory has the name", Why::is_directory);
    }
    if (!inode->is_regular()) return Status::already_exists("something else has the name");
    Created created;
    created.existed = true;
    if (request.open) {
        TRY_ASSIGN(created.file, open(who, inode->id, *request.open));
    }
    if (request.attributes.size) {
        SetAttributes size;
        size.size = request.attributes.size;
        TRY(set_size(who, *inode, size, nullptr));
    }
    // The mount may have made it just now.
    if (who.door != Door::fuse) TRY(deps_.engine.sync());
    TRY_ASSIGN(created.change.attributes, getattr(inode->id));
    return created;
}

// ---- the others

Result<NameChange> LocalVfs::mkdir(const Credentials& who,
                                   InodeId directory_id,
                                   std::string_view name,
                                   const SetAttributes& attributes) {
    TRY(check_name(name));
    if (directory_id == kRootInode) return make_bucket(who, name, attributes);
    TRY_ASSIGN(Inode inode, fresh_inode(who, FileType::directory, attributes));
    TRY_ASSIGN(const OpResult result, add(who, directory_id, name, std::move(inode)));
    return name_change(result);
}

Result<NameChange> LocalVfs::make_bucket(const Credentials& who,
                                         std::string_view name,
                                         const SetAttributes& attributes) {
    if (who.uid != 0) {
        return Status::permission_denied("buckets are made by root", Why::not_permitted);
    }
    if (!objstore::valid_bucket_name(name)) {
        return Status::invalid_argument(fmt::format("S3 forbids a bucket named '{}'", name));
    }
    objstore::CreateBucketOp op;
    op.bucket.name = name;
    op.bucket.created = deps_.clock.now();
    op.bucket.region = options_.region;
    op.bucket.uid = attributes.uid.value_or(who.uid);
    op.bucket.gid = attributes.gid.value_or(who.gid);
    op.bucket.directory_mode = attributes.mode.value_or(op.bucket.directory_mode) & 0777;
    op.bucket.file_mode = op.bucket.directory_mode & 0666;
    TRY_ASSIGN(const OpResult result, deps_.engine.apply(std::move(op), call_options(who)));
    return name_change(result);
}

Result<NameChange> LocalVfs::mknod(const Credentials& who,
                                   InodeId directory_id,
                                   std::string_view name,
                                   NodeKind kind,
                                   const SetAttributes& attributes) {
    const bool device = kind.type == FileType::char_device || kind.type == FileType::block_device;
    if (device && !who.checked && who.uid != 0) {
        return Status::permission_denied("devices are made by root", Why::not_permitted);
    }
    if (kind.type == FileType::directory || kind.type == FileType::symlink) {
        return Status::invalid_argument("mknod makes no directories and links");
    }
    TRY_ASSIGN(Inode inode, fresh_inode(who, kind.type, attributes));
    if (device) inode.rdev = kind.rdev;
    TRY_ASSIGN(const OpResult result, add(who, directory_id, name, std::move(inode)));
    return name_change(result);
}

Result<NameChange> LocalVfs::symlink(const Credentials& who,
                                     const SymlinkAt& at,
                                     const SetAttributes& attributes) {
    if (at.target.empty()) return Status::not_found("a link to nothing");
    if (at.target.size() > kTargetBytesMax) {
        return Status::invalid_argument("a link of over 4,095 bytes", Why::name_too_long);
    }
    if (at.target.find('\0') != at.target.npos) {
        return Status::invalid_argument("a link with NUL");
    }
    TRY_ASSIGN(Inode inode, fresh_inode(who, FileType::symlink, attributes));
    inode.mode = 0777;
    inode.target = at.target;
    TRY_ASSIGN(const OpResult result, add(who, at.directory, at.name, std::move(inode)));
    return name_change(result);
}

}  // namespace fs
