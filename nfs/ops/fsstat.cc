#include "nfs/ops/procedures.h"
#include "nfs/ops/results.h"

namespace nfs {

Answer fsstat(Request& request, Writer& out) {
    const HandleArg arg = read_handle(request.args());
    if (!request.args().ok()) return Answer::garbage_args;
    const auto target = request.resolve(arg);
    if (!target.ok()) return answer_bad_handle(out, target.status, 1);
    const InodeId inode = target.handle.inode;
    const auto space = request.vfs().statfs(inode);
    if (!space.ok()) return answer_failed(request, out, request.failed(space.error()), inode);
    write_status(out, NfsStatus::ok);
    write_post_op(request, out, inode);
    out.u64(space->total_bytes);
    out.u64(space->free_bytes);
    out.u64(space->free_bytes);  // to ordinary users
    out.u64(space->files + space->files_free);
    out.u64(space->files_free);
    out.u64(space->files_free);
    out.u32(0);  // seconds for which this will hold: it may change at once
    return Answer::success;
}

}  // namespace nfs
