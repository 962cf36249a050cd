#pragma once

#include "nfs/ops/mount.h"
#include "nfs/ops/request.h"
#include "nfs/rpc/service.h"

namespace nfs {

// NFS version 3 and MOUNT behind one port. Threads: any. `context` must outlive this.
class Programs final : public Service {
public:
    explicit Programs(OpsContext& context) : context_(context), mount_(context) {}

    Lookup find(std::uint32_t program,
                std::uint32_t version,
                std::uint32_t procedure) const override;
    std::size_t large_reply_bytes(const Call& call) const override;
    Answer try_call(const Peer& peer, const Call& call, Writer& out) override;
    Answer call(const Peer& peer, const Call& call, Writer& out) override;
    Answer refuse(const Call& call, Writer& out) override;

private:
    OpsContext& context_;
    MountProgram mount_;
};

}  // namespace nfs
