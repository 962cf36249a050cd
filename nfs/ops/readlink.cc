#include "nfs/ops/procedures.h"
#include "nfs/ops/results.h"

namespace nfs {

Answer readlink(Request& request, Writer& out) {
    const HandleArg arg = read_handle(request.args());
    if (!request.args().ok()) return Answer::garbage_args;
    const auto target = request.resolve(arg);
    if (!target.ok()) return answer_bad_handle(out, target.status, 1);
    const InodeId inode = target.handle.inode;
    const auto text = request.vfs().readlink(request.who(), inode);
    if (!text.ok()) return answer_failed(request, out, request.failed(text.error()), inode);
    write_status(out, NfsStatus::ok);
    write_post_op(request, out, inode);
    out.text(*text);
    return Answer::success;
}

}  // namespace nfs
