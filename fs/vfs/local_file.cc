#include "fs/vfs/local_file.h"

namespace fs {

using objstore::InodePtr;

namespace {

std::uint64_t failures_of(Node& node) {
    return node.state.with([](const Node::State& state) { return state.failures; });
}

}  // namespace

LocalFile::LocalFile(LocalVfs& vfs, NodeRef node, OpenFlags flags)
    : vfs_(vfs),
      node_(std::move(node)),
      flags_(flags),
      id_(vfs.next_file_++),
      failures_seen_(failures_of(*node_)) {}

LocalFile::~LocalFile() {
    vfs_.locks_.release_handle(node_->inode, id_);
}

Result<std::size_t> LocalFile::read(std::uint64_t offset, MutableBytes out) {
    return vfs_.write_back_.read(*node_, offset, out);
}

std::optional<std::size_t> LocalFile::try_read(std::uint64_t offset, MutableBytes out) {
    return vfs_.write_back_.try_read(*node_, offset, out);
}

Result<WriteResult> LocalFile::write(std::uint64_t offset, Bytes bytes, WriteFlags flags) {
    if (!flags_.write) return Status::permission_denied("the file is open for reading alone");
    if (flags.clear_setid) {
        Credentials mount;
        mount.door = Door::fuse;
        TRY(vfs_.clear_setid(mount, node_->inode));
    }
    const WriteBack::WriteArgs args{offset, flags.append, Door::fuse};
    TRY_ASSIGN(const auto written, vfs_.write_back_.write(node_, args, bytes));
    WriteResult result;
    result.size = bytes.size();
    result.offset = written.offset;
    if (flags.sync) {
        TRY(sync());
        result.stability = Stability::file_sync;
    }
    return result;
}

Status LocalFile::flush() {
    if (node_->dirty) {
        // Nobody will find the bytes of a file without a name after a crash: no need to sync them.
        const InodePtr inode = vfs_.names().cached_inode(node_->inode);
        const bool unlinked = inode != nullptr && inode->nlink == 0;
        if (!unlinked) (void)vfs_.write_back_.flush(*node_);  // Counted in the node if it fails.
    }
    return failures_since();
}

Status LocalFile::sync() {
    (void)vfs_.write_back_.flush(*node_);  // Counted in the node if it fails.
    TRY(failures_since());
    return vfs_.deps_.engine.sync();
}

Status LocalFile::failures_since() {
    return node_->state.with([&](const Node::State& state) -> Status {
        if (failures_seen_.exchange(state.failures) == state.failures) return {};
        return state.failure;
    });
}

}  // namespace fs
