#include "nfs/ops/procedures.h"
#include "nfs/ops/results.h"

namespace nfs {

namespace {

// What of our permissions a bit of the protocol stands for; 0 where it means nothing.
std::uint32_t needed_for(std::uint32_t bit, bool is_directory) {
    switch (bit) {
        case kAccessRead:
            return fs::kMayRead;
        case kAccessLookup:
            return is_directory ? fs::kMayExecute : 0;
        case kAccessExecute:
            return is_directory ? 0 : fs::kMayExecute;
        case kAccessModify:
        case kAccessExtend:
            return is_directory ? fs::kMayWrite | fs::kMayExecute : fs::kMayWrite;
        case kAccessDelete:
            return is_directory ? fs::kMayWrite | fs::kMayExecute : 0;
        default:
            return 0;
    }
}

}  // namespace

Answer access(Request& request, Writer& out) {
    const auto args = AccessArgs::read(request.args());
    if (!request.args().ok()) return Answer::garbage_args;
    const auto target = request.resolve(args.handle);
    if (!target.ok()) return answer_bad_handle(out, target.status, 1);
    const InodeId inode = target.handle.inode;
    const auto found = request.getattr(inode);
    if (!found) return Answer::not_now;
    if (!found->ok()) return answer_bad_handle(out, request.failed(found->error()), 1);
    // In memory now, so this does not wait either.
    constexpr std::uint32_t kAll = fs::kMayRead | fs::kMayWrite | fs::kMayExecute;
    const auto granted = request.vfs().access(request.who(), inode, kAll);
    if (!granted.ok()) return answer_failed(request, out, request.failed(granted.error()), inode);
    std::uint32_t bits = 0;
    for (std::uint32_t bit = kAccessRead; bit <= kAccessExecute; bit <<= 1) {
        const std::uint32_t needed = needed_for(bit, (*found)->is_directory());
        if ((args.wanted & bit) != 0 && needed != 0 && (*granted & needed) == needed) bits |= bit;
    }
    write_status(out, NfsStatus::ok);
    write_post_op(request, out, **found);
    out.u32(bits);
    return Answer::success;
}

}  // namespace nfs
