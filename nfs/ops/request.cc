#include "nfs/ops/request.h"

#include <algorithm>

namespace nfs {

using objstore::Result;
using objstore::Status;

fs::Credentials credentials_of(const Caller& caller, const NfsOptions& options) {
    fs::Credentials who;
    who.door = objstore::Door::nfs;
    if (!caller.is_sys || (options.squash_root && caller.uid == 0)) {
        who.uid = options.anonymous_uid;
        who.gid = options.anonymous_gid;
        return who;
    }
    const auto squash_gid = [&](std::uint32_t gid) {
        return options.squash_root && gid == 0 ? options.anonymous_gid : gid;
    };
    who.uid = caller.uid;
    who.gid = squash_gid(caller.gid);
    const auto groups = caller.groups();
    who.groups.assign(groups.begin(), groups.end());
    std::transform(who.groups.begin(), who.groups.end(), who.groups.begin(), squash_gid);
    return who;
}

Request::Request(OpsContext& context, const Call& call, bool may_wait)
    : context_(context),
      call_(call),
      args_(call.args),
      who_(credentials_of(call.caller, context.options)),
      may_wait_(may_wait) {}

Request::Target Request::resolve(HandleArg handle) const {
    const auto decoded = context_.handles.decode(handle);
    if (!decoded) return {NfsStatus::badhandle, {}};
    if (decoded->exported == objstore::kRootInode && !context_.options.export_root) {
        return {NfsStatus::stale, {}};
    }
    return {NfsStatus::ok, *decoded};
}

std::optional<Result<fs::Attributes>> Request::getattr(InodeId inode) {
    if (may_wait_) return vfs().getattr(inode);
    if (auto found = vfs().try_getattr(inode)) return Result<fs::Attributes>(*found);
    return std::nullopt;
}

std::optional<fs::Attributes> Request::attributes(InodeId inode) {
    auto found = vfs().try_getattr(inode);
    if (found || !may_wait_) return found;
    const auto waited = vfs().getattr(inode);
    return waited.ok() ? std::optional(*waited) : std::nullopt;
}

NfsStatus Request::failed(const Status& status) {
    ASSERT(!status.ok());
    const NfsStatus told = to_nfs(status);
    if (told == NfsStatus::io || told == NfsStatus::serverfault) {
        context_.log.error("nfs: call failed procedure={} xid={} uid={} error=\"{}\"",
                           call_.procedure,
                           call_.xid,
                           who_.uid,
                           status.message());
    }
    return told;
}

}  // namespace nfs
