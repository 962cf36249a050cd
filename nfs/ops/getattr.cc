#include "nfs/ops/procedures.h"
#include "nfs/ops/results.h"

namespace nfs {

Answer getattr(Request& request, Writer& out) {
    const HandleArg arg = read_handle(request.args());
    if (!request.args().ok()) return Answer::garbage_args;
    const auto target = request.resolve(arg);
    if (!target.ok()) return answer_status(out, target.status);
    const auto found = request.getattr(target.handle.inode);
    if (!found) return Answer::not_now;
    if (!found->ok()) return answer_status(out, request.failed(found->error()));
    write_status(out, NfsStatus::ok);
    write_attributes(out, **found, request.context().fsid);
    return Answer::success;
}

}  // namespace nfs
