#include "nfs/ops/procedures.h"
#include "nfs/ops/results.h"

namespace nfs {

Answer rmdir(Request& request, Writer& out) {
    const NameArg arg = read_name(request.args());
    if (!request.args().ok()) return Answer::garbage_args;
    const auto target = request.resolve(arg.directory);
    if (!target.ok()) return answer_bad_handle(out, target.status, 2);
    const auto done = request.vfs().rmdir(request.who(), target.handle.inode, arg.name);
    return answer_name_change(request, out, target.handle, done);
}

}  // namespace nfs
