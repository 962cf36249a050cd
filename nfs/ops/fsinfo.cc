#include "nfs/ops/procedures.h"
#include "nfs/ops/results.h"

namespace nfs {

Answer fsinfo(Request& request, Writer& out) {
    constexpr std::uint32_t kHardLinks = 0x1;
    constexpr std::uint32_t kSymbolicLinks = 0x2;
    constexpr std::uint32_t kHomogeneous = 0x8;
    constexpr std::uint32_t kCanSetTime = 0x10;
    constexpr std::uint32_t kMultiple = 4096;  // that transfers had best be of
    const HandleArg arg = read_handle(request.args());
    if (!request.args().ok()) return Answer::garbage_args;
    const auto target = request.resolve(arg);
    if (!target.ok()) return answer_bad_handle(out, target.status, 1);
    const auto found = request.getattr(target.handle.inode);
    if (!found) return Answer::not_now;
    if (!found->ok()) return answer_bad_handle(out, request.failed(found->error()), 1);
    const NfsOptions& options = request.context().options;
    write_status(out, NfsStatus::ok);
    write_post_op(request, out, **found);
    for (int reads_then_writes = 0; reads_then_writes < 2; ++reads_then_writes) {
        out.u32(options.transfer_bytes_max);
        out.u32(options.transfer_bytes_max);  // preferred
        out.u32(kMultiple);
    }
    out.u32(options.directory_bytes_preferred);
    out.u64(fs::kFileBytesMax);
    out.u32(0);  // times are exact to …
    out.u32(1);  // … one nanosecond
    out.u32(kHardLinks | kSymbolicLinks | kHomogeneous | kCanSetTime);
    return Answer::success;
}

}  // namespace nfs
