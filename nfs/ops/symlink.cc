#include "nfs/ops/procedures.h"
#include "nfs/ops/results.h"

namespace nfs {

Answer symlink(Request& request, Writer& out) {
    const auto args = SymlinkArgs::read(request.args());
    if (!request.args().ok()) return Answer::garbage_args;
    const auto target = request.resolve(args.where.directory);
    if (!target.ok()) return answer_bad_handle(out, target.status, 2);
    const FileHandle& directory = target.handle;
    if (!args.attributes.valid) {
        return answer_unchanged(request, out, NfsStatus::inval, directory.inode);
    }
    fs::SetAttributes attributes = to_vfs(args.attributes);
    attributes.size.reset();  // a link's is its target's
    const fs::Vfs::SymlinkAt at{directory.inode, args.where.name, args.target};
    const auto made = request.vfs().symlink(request.who(), at, attributes);
    if (!made.ok()) return answer_name_change(request, out, directory, made);
    return answer_created(request, out, directory, *made);
}

}  // namespace nfs
