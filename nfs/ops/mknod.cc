#include <sys/sysmacros.h>

#include "nfs/ops/procedures.h"
#include "nfs/ops/results.h"

namespace nfs {

using objstore::FileType;

namespace {

// Nothing: MKNOD does not make such.
std::optional<FileType> node_type(WireType type) {
    switch (type) {
        case WireType::char_device:
            return FileType::char_device;
        case WireType::block_device:
            return FileType::block_device;
        case WireType::socket:
            return FileType::socket;
        case WireType::fifo:
            return FileType::fifo;
        case WireType::regular:
        case WireType::directory:
        case WireType::symlink:
            return std::nullopt;
    }
    UNREACHABLE();
}

}  // namespace

Answer mknod(Request& request, Writer& out) {
    constexpr std::uint32_t kDefaultMode = 0644;
    const auto args = MknodArgs::read(request.args());
    if (!request.args().ok()) return Answer::garbage_args;
    const auto target = request.resolve(args.where.directory);
    if (!target.ok()) return answer_bad_handle(out, target.status, 2);
    const FileHandle& directory = target.handle;
    const auto type = node_type(args.type);
    if (!type) return answer_unchanged(request, out, NfsStatus::badtype, directory.inode);
    if (!args.attributes.valid) {
        return answer_unchanged(request, out, NfsStatus::inval, directory.inode);
    }
    fs::SetAttributes attributes = to_vfs(args.attributes);
    attributes.size.reset();
    if (!attributes.mode) attributes.mode = kDefaultMode;
    const fs::Vfs::NodeKind kind{*type, gnu_dev_makedev(args.major, args.minor)};
    const auto made =
        request.vfs().mknod(request.who(), directory.inode, args.where.name, kind, attributes);
    if (!made.ok()) return answer_name_change(request, out, directory, made);
    return answer_created(request, out, directory, *made);
}

}  // namespace nfs
