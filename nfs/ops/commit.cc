#include "nfs/ops/procedures.h"
#include "nfs/ops/results.h"

namespace nfs {

Answer commit(Request& request, Writer& out) {
    const auto args = CommitArgs::read(request.args());
    if (!request.args().ok()) return Answer::garbage_args;
    const auto target = request.resolve(args.handle);
    if (!target.ok()) return answer_bad_handle(out, target.status, 2);
    const InodeId inode = target.handle.inode;
    // More than the range becomes durable, which is allowed.
    const auto done = request.vfs().commit(request.who(), inode);
    if (!done.ok()) return answer_unchanged(request, out, request.failed(done.error()), inode);
    write_status(out, NfsStatus::ok);
    write_wcc(request, out, *done, inode);
    out.u64(request.vfs().write_verifier());  // after it: a change since the write must show
    return Answer::success;
}

}  // namespace nfs
