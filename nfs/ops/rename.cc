#include "nfs/ops/procedures.h"
#include "nfs/ops/results.h"

namespace nfs {

Answer rename(Request& request, Writer& out) {
    const auto args = RenameArgs::read(request.args());
    if (!request.args().ok()) return Answer::garbage_args;
    const auto from = request.resolve(args.from.directory);
    if (!from.ok()) return answer_bad_handle(out, from.status, 4);
    const auto to = request.resolve(args.to.directory);
    if (!to.ok()) return answer_bad_handle(out, to.status, 4);
    const fs::Vfs::NameAt old_name{from.handle.inode, args.from.name};
    const fs::Vfs::NameAt new_name{to.handle.inode, args.to.name};
    const auto done = request.vfs().rename(request.who(), old_name, new_name, {});
    const NfsStatus status = done.ok() ? NfsStatus::ok : request.failed(done.error());
    write_status(out, status);
    write_wcc(request, out, done.ok() ? done->parent : std::nullopt, old_name.directory);
    write_wcc(request, out, done.ok() ? done->new_parent : std::nullopt, new_name.directory);
    return Answer::success;
}

}  // namespace nfs
