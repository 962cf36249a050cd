// LocalVfs: content by inode, and how files are opened.
#include <algorithm>

#include <fmt/format.h>

#include "fs/vfs/local_file.h"
#include "fs/vfs/permission.h"

namespace fs {

using objstore::InodePtr;
using objstore::Why;

namespace {

Status must_be_regular(const objstore::Inode& inode) {
    if (inode.is_regular()) return {};
    if (inode.is_directory()) {
        return Status::conflict(fmt::format("inode {} is a directory", inode.id),
                                Why::is_directory);
    }
    return Status::invalid_argument(fmt::format("inode {} has no content", inode.id));
}

// NFS has no open: an owner who opened a file may go on whatever became of its mode, and programs
// are read to be executed.
Status check_content(const Credentials& who, const objstore::Inode& inode, std::uint32_t wanted) {
    TRY(must_be_regular(inode));
    if (who.door == Door::nfs && who.uid == inode.uid) return {};
    if (wanted == kMayRead && granted_access(who, inode, kMayExecute) == kMayExecute) return {};
    return check_access(who, inode, wanted);
}

}  // namespace

Result<InodePtr> LocalVfs::regular(const Credentials& who, InodeId id, std::uint32_t wanted) {
    TRY_ASSIGN(InodePtr inode, names().getattr(id));
    TRY(check_content(who, *inode, wanted));
    return inode;
}

Result<NodeRef> LocalVfs::use(const Credentials& who, InodeId id) {
    TRY_ASSIGN(NodeRef node, nodes_.acquire(id));
    if (who.door == Door::nfs) keep_alive_.used(node);
    return node;
}

Result<std::unique_ptr<OpenFile>> LocalVfs::open(const Credentials& who,
                                                 InodeId id,
                                                 OpenFlags flags) {
    // Held before it is looked at, so that it can not go in between.
    TRY_ASSIGN(NodeRef node, nodes_.acquire(id));
    TRY_ASSIGN(const InodePtr inode, names().getattr(id));
    TRY(must_be_regular(*inode));
    const std::uint32_t wanted =
        (flags.read ? kMayRead : 0) | (flags.write || flags.truncate ? kMayWrite : 0);
    TRY(check_access(who, *inode, wanted));
    auto file = std::make_unique<LocalFile>(*this, std::move(node), flags);
    if (flags.truncate) {
        SetAttributes empty;
        empty.size = 0;
        TRY(set_size(who, *inode, empty, file.get()));
    }
    return std::unique_ptr<OpenFile>(std::move(file));
}

Result<ReadResult> LocalVfs::read(const Credentials& who,
                                  InodeId id,
                                  std::uint64_t offset,
                                  MutableBytes out) {
    TRY_ASSIGN(const InodePtr inode, regular(who, id, kMayRead));
    TRY_ASSIGN(const NodeRef node, use(who, id));
    ReadResult result;
    TRY_ASSIGN(result.size, write_back_.read(*node, offset, out));
    result.end_of_file = result.size < out.size();
    if (!result.end_of_file) {
        TRY_ASSIGN(const Attributes now, getattr(id));
        result.end_of_file = offset + result.size >= now.size;
    }
    return result;
}

std::optional<ReadResult> LocalVfs::try_read(const Credentials& who,
                                             InodeId id,
                                             std::uint64_t offset,
                                             MutableBytes out) {
    const InodePtr inode = names().cached_inode(id);
    if (inode == nullptr || !check_content(who, *inode, kMayRead).ok()) return std::nullopt;
    const NodeRef node = nodes_.find(id);
    if (!node || (who.door == Door::nfs && !node->kept)) return std::nullopt;
    const auto got = write_back_.try_read(*node, offset, out);
    if (!got) return std::nullopt;
    if (who.door == Door::nfs) keep_alive_.used(node);
    ReadResult result;
    result.size = *got;
    // Of the snapshot from before the read: should it have grown since, the client asks again.
    result.end_of_file = *got < out.size() || offset + *got >= inode->size;
    return result;
}

// A write by who is not root takes setuid and setgid away, at once and not when it is stored.
Status LocalVfs::clear_setid(const Credentials& who, InodeId id) {
    TRY_ASSIGN(const InodePtr inode, names().getattr(id));
    if ((inode->mode & 06000) == 0) return {};
    objstore::SetAttributesOp op;
    op.inode = id;
    op.clear_setid = true;
    op.time = deps_.clock.now();
    return deps_.engine.apply(std::move(op), call_options(who)).error();
}

// NFS hears of each failed flush of a file once. Whom it does not reach sees that the verifier has
// changed, sends its bytes again, and hears of what is still wrong then.
Status LocalVfs::untold_failure(Node& node) {
    return node.state.with([](Node::State& state) -> Status {
        if (std::exchange(state.told, state.failures) == state.failures) return {};
        return state.failure;
    });
}

Result<WriteResult> LocalVfs::write(const Credentials& who, WriteAt at, Bytes bytes) {
    TRY_ASSIGN(const InodePtr inode, regular(who, at.inode, kMayWrite));
    if (who.uid != 0) TRY(clear_setid(who, at.inode));
    TRY_ASSIGN(const NodeRef node, use(who, at.inode));
    const WriteBack::WriteArgs args{at.offset, false, who.door};
    auto stored = write_back_.write(node, args, bytes);
    if (!stored.ok()) {
        (void)untold_failure(*node);  // This is it.
        return stored.error();
    }
    const WriteBack::Written written = *stored;
    WriteResult result;
    result.size = bytes.size();
    result.offset = at.offset;
    result.change.before = attributes_of(*inode);
    result.change.before.size = written.size_before;
    if (written.written_before != 0) {
        result.change.before.mtime = result.change.before.ctime = written.written_before;
    }
    if (at.stability != Stability::unstable) {
        if (Status status = write_back_.flush(*node, written.failures); !status.ok()) {
            (void)untold_failure(*node);  // This is it.
            return status;
        }
        result.stability = Stability::file_sync;
        TRY_ASSIGN(result.change.after, getattr(at.inode));
        return result;
    }
    // Both sides as the write itself saw them: what another writer did in between must show.
    result.change.after = result.change.before;
    result.change.after.size = written.size_after;
    result.change.after.mtime = result.change.after.ctime = written.written_after;
    return result;
}

Result<AttributeChange> LocalVfs::commit(const Credentials& who, InodeId id) {
    TRY_ASSIGN(const InodePtr inode, regular(who, id, kMayWrite));
    AttributeChange change;
    change.before = attributes(*inode);
    if (const NodeRef node = nodes_.find(id)) {
        (void)write_back_.flush(*node);  // Counted in the node if it fails.
        TRY(untold_failure(*node));
    }
    TRY_ASSIGN(change.after, getattr(id));
    return change;
}

}  // namespace fs
