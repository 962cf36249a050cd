#include "nfs/ops/procedures.h"
#include "nfs/ops/results.h"

namespace nfs {

Answer link(Request& request, Writer& out) {
    const auto args = LinkArgs::read(request.args());
    if (!request.args().ok()) return Answer::garbage_args;
    const auto file = request.resolve(args.handle);
    if (!file.ok()) return answer_bad_handle(out, file.status, 3);
    const auto target = request.resolve(args.where.directory);
    if (!target.ok()) return answer_bad_handle(out, target.status, 3);
    const InodeId inode = file.handle.inode;
    const InodeId directory = target.handle.inode;
    const auto done = request.vfs().link(request.who(), inode, directory, args.where.name);
    write_status(out, done.ok() ? NfsStatus::ok : request.failed(done.error()));
    if (done.ok() && done->attributes) {
        write_post_op(request, out, done->attributes);
    } else {
        write_post_op(request, out, inode);
    }
    write_wcc(request, out, done.ok() ? done->parent : std::nullopt, directory);
    return Answer::success;
}

}  // namespace nfs
