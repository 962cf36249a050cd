// Requests on attributes, extended ones among them.
#include <cerrno>

#include <sys/statvfs.h>

#include "fs/fuse/session.h"

namespace fs {
namespace {

using Serving = Invalidator::Serving;

constexpr UnixNanos kSecond = 1'000'000'000;

UnixNanos nanos_of(const timespec& time) {
    // Years 1677 to 2262 are what 64 bits of nanoseconds hold.
    constexpr std::int64_t kSecondsMax = 9'000'000'000;
    const std::int64_t seconds = std::clamp<std::int64_t>(time.tv_sec, -kSecondsMax, kSecondsMax);
    return seconds * kSecond + time.tv_nsec;
}

void getattr(fuse_req_t req, fuse_ino_t inode, fuse_file_info*) {
    const Serving serving;
    Session& s = session_of(req);
    const std::uint64_t seen = s.gate.seen();
    s.reply_attributes(req, seen, s.vfs.getattr(inode));
}

SetAttributes changes_of(const struct stat& st, int which) {
    SetAttributes changes;
    if ((which & FUSE_SET_ATTR_MODE) != 0) changes.mode = st.st_mode & 07777;
    if ((which & FUSE_SET_ATTR_UID) != 0) changes.uid = st.st_uid;
    if ((which & FUSE_SET_ATTR_GID) != 0) changes.gid = st.st_gid;
    if ((which & FUSE_SET_ATTR_SIZE) != 0) changes.size = static_cast<std::uint64_t>(st.st_size);
    if ((which & FUSE_SET_ATTR_ATIME) != 0) changes.atime = nanos_of(st.st_atim);
    if ((which & FUSE_SET_ATTR_MTIME) != 0) changes.mtime = nanos_of(st.st_mtim);
    changes.atime_now = (which & FUSE_SET_ATTR_ATIME_NOW) != 0;
    changes.mtime_now = (which & FUSE_SET_ATTR_MTIME_NOW) != 0;
    return changes;
}

void setattr(fuse_req_t req, fuse_ino_t inode, struct stat* st, int which, fuse_file_info* info) {
    const Serving serving;
    Session& s = session_of(req);
    const std::uint64_t seen = s.gate.seen();
    const auto changed =
        s.vfs.setattr(caller(req), inode, changes_of(*st, which), OpenFiles::of(info));
    s.reply_attributes(
        req, seen, changed.ok() ? Result<Attributes>(changed->after) : changed.error());
}

void readlink(fuse_req_t req, fuse_ino_t inode) {
    const Serving serving;
    const auto target = session_of(req).vfs.readlink(caller(req), inode);
    if (target.ok()) {
        fuse_reply_readlink(req, target->c_str());
    } else {
        reply_status(req, target.error());
    }
}

void statfs(fuse_req_t req, fuse_ino_t inode) {
    const Serving serving;
    const auto space = session_of(req).vfs.statfs(inode);
    if (!space.ok()) {
        reply_status(req, space.error());
        return;
    }
    struct statvfs st {};
    st.f_bsize = objstore::kBlockBytes;
    st.f_frsize = objstore::kBlockBytes;
    st.f_blocks = space->total_bytes / objstore::kBlockBytes;
    st.f_bfree = st.f_bavail = space->free_bytes / objstore::kBlockBytes;
    st.f_files = space->files + space->files_free;
    st.f_ffree = st.f_favail = space->files_free;
    st.f_namemax = kNameBytesMax;
    fuse_reply_statfs(req, &st);
}

// The answer to a question for the length, or for the value if it fits.
void reply_sized(fuse_req_t req, std::string_view value, std::size_t room) {
    if (room == 0) {
        fuse_reply_xattr(req, value.size());
    } else if (value.size() > room) {
        fuse_reply_err(req, ERANGE);
    } else {
        fuse_reply_buf(req, value.data(), value.size());
    }
}

void getxattr(fuse_req_t req, fuse_ino_t inode, const char* name, std::size_t room) {
    const Serving serving;
    const auto value = session_of(req).vfs.get_xattr(caller(req), {inode, name});
    if (value.ok()) {
        reply_sized(req, *value, room);
    } else {
        reply_status(req, value.error());
    }
}

void listxattr(fuse_req_t req, fuse_ino_t inode, std::size_t room) {
    const Serving serving;
    const auto names = session_of(req).vfs.list_xattrs(caller(req), inode);
    if (!names.ok()) {
        reply_status(req, names.error());
        return;
    }
    std::string list;
    for (const std::string& name : *names) list.append(name).push_back('\0');
    reply_sized(req, list, room);
}

// NOLINTNEXTLINE(readability-function-size): parameters of libfuse's
void setxattr(fuse_req_t req,
              fuse_ino_t inode,
              const char* name,
              const char* value,
              std::size_t size,
              int flags) {
    const Serving serving;
    // As <sys/xattr.h>, which does not go with <linux/xattr.h>.
    constexpr int kCreate = 1;
    constexpr int kReplace = 2;
    auto mode = Vfs::XattrMode::any;
    if ((flags & kCreate) != 0) mode = Vfs::XattrMode::create;
    if ((flags & kReplace) != 0) mode = Vfs::XattrMode::replace;
    const std::string_view bytes(value, size);
    const Status status = session_of(req).vfs.set_xattr(caller(req), {inode, name}, bytes, mode);
    if (status.why() == objstore::Why::too_large) {
        fuse_reply_err(req, E2BIG);
    } else {
        reply_status(req, status);
    }
}

void removexattr(fuse_req_t req, fuse_ino_t inode, const char* name) {
    const Serving serving;
    reply_status(req, session_of(req).vfs.remove_xattr(caller(req), {inode, name}));
}

}  // namespace

void add_attribute_operations(fuse_lowlevel_ops& table) {
    table.getattr = getattr;
    table.setattr = setattr;
    table.readlink = readlink;
    table.statfs = statfs;
    table.getxattr = getxattr;
    table.listxattr = listxattr;
    table.setxattr = setxattr;
    table.removexattr = removexattr;
}

}  // namespace fs
