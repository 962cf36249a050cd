#include "fs/vfs/local_vfs.h"

#include <algorithm>

#include <fmt/format.h>

#include "fs/vfs/permission.h"

namespace fs {

using objstore::InodePtr;
using objstore::Why;

LocalVfs::LocalVfs(Options options, Deps deps)
    : options_(std::move(options)),
      deps_(deps),
      verifier_(deps.random.next()),
      nodes_(deps.engine.names()),
      locks_(options_.locks),
      write_back_(options_.write_back, {deps.engine, nodes_, deps.clock, deps.log}),
      keep_alive_(options_.keep_alive, deps.clock) {}

LocalVfs::~LocalVfs() {
    (void)stop();  // WriteBack has logged what failed.
}

Status LocalVfs::stop() {
    keep_alive_.stop();
    return write_back_.stop();
}

Status LocalVfs::sync() {
    Status flushed = write_back_.flush_all();
    TRY(deps_.engine.sync());
    return flushed;
}

objstore::CallOptions call_options(const Credentials& who) {
    return {.door = who.door, .durable = who.door != Door::fuse};
}

Attributes attributes_of(const objstore::Inode& inode) {
    Attributes a;
    a.inode = inode.id;
    a.bucket = inode.bucket;
    a.parent = inode.parent;
    a.type = inode.type;
    a.mode = inode.mode;
    a.nlink = inode.nlink;
    a.uid = inode.uid;
    a.gid = inode.gid;
    a.rdev = inode.rdev;
    a.size = inode.size;
    a.used_bytes = inode.size;
    a.atime = inode.atime;
    a.mtime = inode.mtime;
    a.ctime = inode.ctime;
    a.btime = inode.btime;
    a.change = inode.change;
    a.generation = inode.generation;
    if (inode.is_directory()) {
        // A marker's body is no business of paths; every directory looks alike.
        a.size = objstore::kBlockBytes;
        a.used_bytes = objstore::kBlockBytes;
        a.nlink = static_cast<std::uint32_t>(2 + inode.directory.subdirectories);
    } else if (inode.is_regular() && !inode.extents_in_table) {
        a.used_bytes = 0;
        for (const objstore::Extent& extent : inode.extents) a.used_bytes += extent.length;
    }
    return a;
}

Attributes LocalVfs::attributes(const Inode& inode) {
    Attributes a = attributes_of(inode);
    if (inode.is_regular()) {
        if (const NodeRef node = nodes_.find(inode.id)) write_back_.overlay(*node, a);
    }
    return a;
}

NameChange LocalVfs::name_change(const objstore::OpResult& result) {
    NameChange change;
    if (result.inode != nullptr) change.attributes = attributes(*result.inode);
    if (result.parent_before != nullptr && result.parent_after != nullptr) {
        change.parent = {attributes_of(*result.parent_before), attributes_of(*result.parent_after)};
    }
    if (result.new_parent_before != nullptr && result.new_parent_after != nullptr) {
        change.new_parent = {attributes_of(*result.new_parent_before),
                             attributes_of(*result.new_parent_after)};
    }
    return change;
}

// S3 leaves an implied directory alone for a while that a mount or NFS has used.
void LocalVfs::touch(const Inode& inode) {
    if (!inode.is_directory()) return;
    if (inode.directory.kind == objstore::DirectoryKind::implied) names().touch_directory(inode.id);
}

Result<InodePtr> LocalVfs::directory(const Credentials& who, InodeId id, std::uint32_t wanted) {
    TRY_ASSIGN(InodePtr inode, names().getattr(id));
    if (!inode->is_directory()) {
        return Status::conflict(fmt::format("inode {} is no directory", id), Why::not_directory);
    }
    TRY(check_access(who, *inode, wanted));
    touch(*inode);
    return inode;
}

// A directory `name/` goes before an object `name`, which it shadows.
Result<InodePtr> LocalVfs::find(InodeId directory, std::string_view name) {
    std::string with_slash(name);
    with_slash += '/';
    auto found = names().lookup(directory, with_slash);
    if (found.ok()) return std::move(found->inode);
    if (found.code() != objstore::Code::not_found) return found.error();
    TRY_ASSIGN(auto file, names().lookup(directory, name));
    return std::move(file.inode);
}

Result<SpaceInfo> LocalVfs::statfs(InodeId inode) {
    TRY(names().getattr(inode).error());
    const objstore::Engine::Space space = deps_.engine.space();
    SpaceInfo info;
    info.total_bytes = space.total_bytes;
    info.free_bytes = std::min(space.free_bytes, space.total_bytes);
    info.files = space.inodes;
    info.files_free = std::uint64_t{1} << 40;
    return info;
}

}  // namespace fs
