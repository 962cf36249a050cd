// Requests on ranges of files: fallocate, copy_file_range, lseek.
#include <cerrno>

#include <fcntl.h>
#include <linux/falloc.h>
#include <unistd.h>

#include "fs/fuse/session.h"

namespace fs {
namespace {

using Serving = Invalidator::Serving;

std::optional<AllocateMode> allocate_mode(int mode) {
    switch (mode) {
        case 0:
            return AllocateMode::extend;
        case FALLOC_FL_KEEP_SIZE:
            return AllocateMode::keep_size;
        case FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE:
            return AllocateMode::punch;
        case FALLOC_FL_ZERO_RANGE:
            return AllocateMode::zero;
        case FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE:
            return AllocateMode::zero_keep;
        default:
            return std::nullopt;
    }
}

// NOLINTNEXTLINE(readability-function-size): parameters of libfuse's
void fallocate(
    fuse_req_t req, fuse_ino_t inode, int mode, off_t offset, off_t length, fuse_file_info*) {
    const Serving serving;
    const auto wanted = allocate_mode(mode);
    if (!wanted || offset < 0 || length < 0) {
        fuse_reply_err(req, wanted ? EINVAL : EOPNOTSUPP);
        return;
    }
    const std::pair range(static_cast<std::uint64_t>(offset), static_cast<std::uint64_t>(length));
    reply_status(req, session_of(req).vfs.allocate(caller(req), inode, *wanted, range));
}

// NOLINTNEXTLINE(readability-function-size): parameters of libfuse's
void copy_file_range(fuse_req_t req,
                     fuse_ino_t source,
                     off_t source_offset,
                     fuse_file_info*,
                     fuse_ino_t target,
                     off_t target_offset,
                     fuse_file_info*,
                     std::size_t length,
                     int) {
    const Serving serving;
    CopyRange range;
    range.source = source;
    range.source_offset = static_cast<std::uint64_t>(source_offset);
    range.target = target;
    range.target_offset = static_cast<std::uint64_t>(target_offset);
    range.length = length;
    const auto copied = session_of(req).vfs.copy_range(caller(req), range);
    if (copied.ok()) {
        fuse_reply_write(req, *copied);
    } else {
        reply_status(req, copied.error());
    }
}

void lseek(fuse_req_t req, fuse_ino_t inode, off_t offset, int whence, fuse_file_info*) {
    const Serving serving;
    if (offset < 0 || (whence != SEEK_DATA && whence != SEEK_HOLE)) {
        fuse_reply_err(req, offset < 0 ? ENXIO : EINVAL);
        return;
    }
    Vfs& vfs = session_of(req).vfs;
    const auto from = static_cast<std::uint64_t>(offset);
    const auto found =
        whence == SEEK_DATA ? vfs.seek_data(inode, from) : vfs.seek_hole(inode, from);
    if (found.ok()) {
        fuse_reply_lseek(req, static_cast<off_t>(*found));
    } else {
        reply_status(req, found.error());
    }
}

}  // namespace

void add_extent_operations(fuse_lowlevel_ops& table) {
    table.fallocate = fallocate;
    table.copy_file_range = copy_file_range;
    table.lseek = lseek;
}

}  // namespace fs
