#include "nfs/ops/procedures.h"
#include "nfs/ops/results.h"

namespace nfs {

Answer pathconf(Request& request, Writer& out) {
    constexpr std::uint32_t kLinksMax = 65000;
    const HandleArg arg = read_handle(request.args());
    if (!request.args().ok()) return Answer::garbage_args;
    const auto target = request.resolve(arg);
    if (!target.ok()) return answer_bad_handle(out, target.status, 1);
    const auto found = request.getattr(target.handle.inode);
    if (!found) return Answer::not_now;
    if (!found->ok()) return answer_bad_handle(out, request.failed(found->error()), 1);
    write_status(out, NfsStatus::ok);
    write_post_op(request, out, **found);
    out.u32(kLinksMax);
    out.u32(fs::kNameBytesMax);
    out.boolean(true);   // longer names are an error, not cut
    out.boolean(true);   // only the superuser gives files away
    out.boolean(false);  // names are not case insensitive …
    out.boolean(true);   // … and keep their case
    return Answer::success;
}

}  // namespace nfs
