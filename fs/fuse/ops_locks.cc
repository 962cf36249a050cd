// Requests for locks.
#include <cerrno>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "fs/fuse/session.h"

namespace fs {
namespace {

using Serving = Invalidator::Serving;

LockType type_of(int type) {
    if (type == F_RDLCK) return LockType::shared;
    return type == F_WRLCK ? LockType::exclusive : LockType::unlock;
}

// The kernel has made the range absolute; 0 bytes are all up to the end of any file.
Lock range_lock(fuse_ino_t inode, const fuse_file_info& info, const struct flock& wanted) {
    Lock lock;
    lock.inode = inode;
    lock.kind = LockKind::range;
    lock.type = type_of(wanted.l_type);
    lock.first = static_cast<std::uint64_t>(wanted.l_start);
    if (wanted.l_len > 0) lock.last = lock.first + static_cast<std::uint64_t>(wanted.l_len) - 1;
    lock.owner = {Door::fuse, 0, info.lock_owner};
    lock.handle = OpenFiles::of(&info)->id();
    lock.pid = static_cast<std::uint32_t>(wanted.l_pid);
    return lock;
}

void getlk(fuse_req_t req, fuse_ino_t inode, fuse_file_info* info, struct flock* wanted) {
    const Serving serving;
    const auto held = session_of(req).vfs.test_lock(range_lock(inode, *info, *wanted));
    struct flock answer = *wanted;
    if (!held) {
        answer.l_type = F_UNLCK;
    } else {
        answer.l_type = held->type == LockType::shared ? F_RDLCK : F_WRLCK;
        answer.l_whence = SEEK_SET;
        answer.l_start = static_cast<off_t>(held->first);
        const bool to_the_end = held->last >= kFileBytesMax;
        answer.l_len = to_the_end ? 0 : static_cast<off_t>(held->last - held->first + 1);
        answer.l_pid = static_cast<pid_t>(held->pid);
    }
    fuse_reply_lock(req, &answer);
}

void take(fuse_req_t req, const Lock& lock, bool wait) {
    Session& s = session_of(req);
    if (wait && lock.type != LockType::unlock) {
        s.locks.wait(req, lock);
        return;
    }
    const Status status = s.vfs.lock(lock);
    const bool too_many = status.code() == objstore::Code::no_space;
    if (too_many) {
        fuse_reply_err(req, ENOLCK);
    } else {
        reply_status(req, status);
    }
}

void setlk(
    fuse_req_t req, fuse_ino_t inode, fuse_file_info* info, struct flock* wanted, int sleep) {
    const Serving serving;
    take(req, range_lock(inode, *info, *wanted), sleep != 0);
}

void flock(fuse_req_t req, fuse_ino_t inode, fuse_file_info* info, int operation) {
    const Serving serving;
    Lock lock;
    lock.inode = inode;
    lock.kind = LockKind::whole;
    const int what = operation & ~LOCK_NB;
    lock.type = LockType::unlock;
    if (what == LOCK_SH) lock.type = LockType::shared;
    if (what == LOCK_EX) lock.type = LockType::exclusive;
    lock.owner = {Door::fuse, 0, info->lock_owner};
    lock.handle = OpenFiles::of(info)->id();
    take(req, lock, (operation & LOCK_NB) == 0);
}

}  // namespace

void add_lock_operations(fuse_lowlevel_ops& table) {
    table.getlk = getlk;
    table.setlk = setlk;
    table.flock = flock;
}

}  // namespace fs
