#include "nfs/ops/procedures.h"
#include "nfs/ops/results.h"

namespace nfs {

Answer mkdir(Request& request, Writer& out) {
    constexpr std::uint32_t kDefaultMode = 0755;
    const auto args = MkdirArgs::read(request.args());
    if (!request.args().ok()) return Answer::garbage_args;
    const auto target = request.resolve(args.where.directory);
    if (!target.ok()) return answer_bad_handle(out, target.status, 2);
    const FileHandle& directory = target.handle;
    if (!args.attributes.valid) {
        return answer_unchanged(request, out, NfsStatus::inval, directory.inode);
    }
    fs::SetAttributes attributes = to_vfs(args.attributes);
    if (!attributes.mode) attributes.mode = kDefaultMode;
    const auto made =
        request.vfs().mkdir(request.who(), directory.inode, args.where.name, attributes);
    if (!made.ok()) return answer_name_change(request, out, directory, made);
    return answer_created(request, out, directory, *made);
}

}  // namespace nfs
