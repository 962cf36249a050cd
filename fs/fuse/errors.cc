#include "fs/fuse/errors.h"

#include <cerrno>

namespace fs {

using objstore::Code;
using objstore::Why;

namespace {

int of_conflict(Why why) {
    switch (why) {
        case Why::not_empty:
            return ENOTEMPTY;
        case Why::is_directory:
            return EISDIR;
        case Why::not_directory:
            return ENOTDIR;
        case Why::too_many_links:
            return EMLINK;
        default:
            return EAGAIN;  // A lock is held, or what was to be copied kept changing.
    }
}

int of_invalid_argument(Why why) {
    switch (why) {
        case Why::name_too_long:
            return ENAMETOOLONG;
        case Why::too_large:
            return EFBIG;
        case Why::invalid_range:
            return ENXIO;  // lseek alone
        default:
            return EINVAL;
    }
}

int of_not_found(Why why) {
    switch (why) {
        case Why::stale:
            return ESTALE;
        case Why::no_attribute:
            return ENODATA;
        default:
            return ENOENT;
    }
}

}  // namespace

int errno_of(const objstore::Status& status) {
    switch (status.code()) {
        case Code::ok:
            return 0;
        case Code::not_found:
            return of_not_found(status.why());
        case Code::already_exists:
            return EEXIST;
        case Code::invalid_argument:
            return of_invalid_argument(status.why());
        case Code::conflict:
            return of_conflict(status.why());
        case Code::permission_denied:
            return status.why() == Why::not_permitted ? EPERM : EACCES;
        case Code::no_space:
            return ENOSPC;
        case Code::timed_out:
            return ETIMEDOUT;
        case Code::cancelled:
            return EINTR;
        case Code::unavailable:  // Also too few disks to write: they may be back soon.
        case Code::corruption:
        case Code::io_error:
            return EIO;
        case Code::unsupported:
            return status.why() == Why::cross_bucket ? EXDEV : EOPNOTSUPP;
    }
    UNREACHABLE();
}

}  // namespace fs
