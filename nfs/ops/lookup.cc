#include "nfs/ops/procedures.h"
#include "nfs/ops/results.h"

namespace nfs {

using objstore::Result;

namespace {

// Nothing: memory does not know.
std::optional<Result<fs::Attributes>> find(Request& request,
                                           const FileHandle& directory,
                                           std::string_view name) {
    if (name == ".") return request.getattr(directory.inode);
    if (name == "..") {
        // The way up ends where the client was let in.
        if (directory.inode == directory.exported) return request.getattr(directory.inode);
        if (!request.may_wait()) return std::nullopt;
        return request.vfs().lookup_parent(request.who(), directory.inode);
    }
    if (!request.may_wait()) {
        return request.vfs().try_lookup(request.who(), directory.inode, name);
    }
    return request.vfs().lookup(request.who(), directory.inode, name);
}

}  // namespace

Answer lookup(Request& request, Writer& out) {
    const NameArg arg = read_name(request.args());
    if (!request.args().ok()) return Answer::garbage_args;
    const auto target = request.resolve(arg.directory);
    if (!target.ok()) return answer_bad_handle(out, target.status, 1);
    const FileHandle& directory = target.handle;
    const auto found = find(request, directory, arg.name);
    if (!found) return Answer::not_now;
    if (!found->ok()) {
        return answer_failed(request, out, request.failed(found->error()), directory.inode);
    }
    const fs::Attributes& attributes = **found;
    write_status(out, NfsStatus::ok);
    write_handle(out, request.context().handles, {directory.exported, attributes.inode});
    write_post_op(request, out, attributes);
    write_post_op(request, out, directory.inode);
    return Answer::success;
}

}  // namespace nfs
