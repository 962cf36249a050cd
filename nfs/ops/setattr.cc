#include "nfs/ops/procedures.h"
#include "nfs/ops/results.h"

namespace nfs {

Answer setattr(Request& request, Writer& out) {
    const auto args = SetattrArgs::read(request.args());
    if (!request.args().ok()) return Answer::garbage_args;
    const auto target = request.resolve(args.handle);
    if (!target.ok()) return answer_bad_handle(out, target.status, 2);
    const InodeId inode = target.handle.inode;
    if (!args.attributes.valid) return answer_unchanged(request, out, NfsStatus::inval, inode);
    fs::SetAttributes changes = to_vfs(args.attributes);
    changes.guard_ctime = args.guard;
    const auto done = request.vfs().setattr(request.who(), inode, changes);
    if (!done.ok()) return answer_unchanged(request, out, request.failed(done.error()), inode);
    write_status(out, NfsStatus::ok);
    write_wcc(request, out, *done, inode);
    return Answer::success;
}

}  // namespace nfs
