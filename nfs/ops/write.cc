#include "nfs/ops/procedures.h"
#include "nfs/ops/results.h"

namespace nfs {

namespace {

fs::Stability to_vfs(Stable stable) {
    switch (stable) {
        case Stable::unstable:
            return fs::Stability::unstable;
        case Stable::data_sync:
            return fs::Stability::data_sync;
        case Stable::file_sync:
            return fs::Stability::file_sync;
    }
    UNREACHABLE();
}

Stable to_wire(fs::Stability stability) {
    switch (stability) {
        case fs::Stability::unstable:
            return Stable::unstable;
        case fs::Stability::data_sync:
            return Stable::data_sync;
        case fs::Stability::file_sync:
            return Stable::file_sync;
    }
    UNREACHABLE();
}

}  // namespace

Answer write(Request& request, Writer& out) {
    const auto args = WriteArgs::read(request.args());
    if (!request.args().ok() || args.count > args.data.size()) return Answer::garbage_args;
    const auto target = request.resolve(args.handle);
    if (!target.ok()) return answer_bad_handle(out, target.status, 2);
    const InodeId inode = target.handle.inode;
    if (args.offset > fs::kFileBytesMax || args.count > fs::kFileBytesMax - args.offset) {
        return answer_unchanged(request, out, NfsStatus::fbig, inode);
    }
    // Read before the write: were it read after, a loss in between would go unnoticed, for the
    // client would compare COMMIT's verifier with one made after the loss.
    const std::uint64_t verifier = request.vfs().write_verifier();
    const fs::Vfs::WriteAt at{inode, args.offset, to_vfs(args.stable)};
    const auto done = request.vfs().write(request.who(), at, args.data.first(args.count));
    if (!done.ok()) return answer_unchanged(request, out, request.failed(done.error()), inode);
    write_status(out, NfsStatus::ok);
    write_wcc(request, out, done->change, inode);
    out.u32(static_cast<std::uint32_t>(done->size));
    out.u32(static_cast<std::uint32_t>(to_wire(done->stability)));
    out.u64(verifier);
    return Answer::success;
}

}  // namespace nfs
