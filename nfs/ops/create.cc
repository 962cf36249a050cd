#include "nfs/ops/procedures.h"
#include "nfs/ops/results.h"

namespace nfs {

namespace {

constexpr std::uint32_t kDefaultMode = 0644;
constexpr std::uint32_t kExclusiveMode = 0600;  // until the SETATTR that follows

fs::CreateRequest to_vfs(const CreateArgs& args) {
    using How = fs::CreateRequest::How;
    fs::CreateRequest create;
    if (args.mode == CreateMode::exclusive) {
        create.how = How::exclusive;
        create.mode = kExclusiveMode;
        create.verifier = args.verifier;
        return create;
    }
    create.how = args.mode == CreateMode::guarded ? How::guarded : How::unchecked;
    create.attributes = nfs::to_vfs(args.attributes);
    create.mode = create.attributes.mode.value_or(kDefaultMode);
    create.attributes.mode.reset();
    return create;
}

}  // namespace

Answer create(Request& request, Writer& out) {
    const auto args = CreateArgs::read(request.args());
    if (!request.args().ok()) return Answer::garbage_args;
    const auto target = request.resolve(args.where.directory);
    if (!target.ok()) return answer_bad_handle(out, target.status, 2);
    const FileHandle& directory = target.handle;
    if (!args.attributes.valid) {
        return answer_unchanged(request, out, NfsStatus::inval, directory.inode);
    }
    const auto made =
        request.vfs().create(request.who(), directory.inode, args.where.name, to_vfs(args));
    if (!made.ok()) {
        return answer_unchanged(request, out, request.failed(made.error()), directory.inode);
    }
    return answer_created(request, out, directory, made->change);
}

}  // namespace nfs
