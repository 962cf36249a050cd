#include "nfs/ops/error.h"

namespace nfs {

using objstore::Code;
using objstore::Status;
using objstore::Why;

namespace {

// Where the reason says more than the code; `ok` when the code has to do.
NfsStatus by_reason(Why why) {
    switch (why) {
        case Why::stale:
            return NfsStatus::stale;
        case Why::not_empty:
            return NfsStatus::notempty;
        case Why::is_directory:
            return NfsStatus::isdir;
        case Why::not_directory:
            return NfsStatus::notdir;
        case Why::precondition:
            return NfsStatus::not_sync;
        case Why::cross_bucket:
            return NfsStatus::xdev;
        case Why::name_too_long:
            return NfsStatus::nametoolong;
        case Why::too_large:
            return NfsStatus::fbig;
        case Why::not_permitted:
            return NfsStatus::perm;
        case Why::too_many_links:
            return NfsStatus::mlink;
        case Why::busy:
            return NfsStatus::jukebox;
        case Why::none:
        case Why::read_only:
        case Why::no_bucket:
        case Why::no_upload:
        case Why::bucket_exists:
        case Why::not_modified:
        case Why::invalid_part:
        case Why::invalid_part_order:
        case Why::part_too_small:
        case Why::invalid_range:
        case Why::no_attribute:
        case Why::outcome_unknown:
            return NfsStatus::ok;
    }
    UNREACHABLE();
}

}  // namespace

NfsStatus to_nfs(const Status& status) {
    if (const NfsStatus reason = by_reason(status.why()); reason != NfsStatus::ok) return reason;
    switch (status.code()) {
        case Code::ok:
            return NfsStatus::ok;
        case Code::not_found:
            return NfsStatus::noent;
        case Code::already_exists:
            return NfsStatus::exist;
        case Code::invalid_argument:
            return NfsStatus::inval;
        case Code::conflict:  // somebody else was at it: the client tries again
        case Code::timed_out:
        case Code::cancelled:
            return NfsStatus::jukebox;
        case Code::permission_denied:
            return NfsStatus::acces;
        case Code::no_space:
            return NfsStatus::nospc;
        // Not jukebox, or programs would hang for as long as disks are missing.
        case Code::unavailable:
        case Code::corruption:
        case Code::io_error:
            return NfsStatus::io;
        case Code::unsupported:
            return NfsStatus::notsupp;
    }
    UNREACHABLE();
}

}  // namespace nfs
