#pragma once

#include <cstdint>
#include <variant>

#include "nfs/rpc/call.h"
#include "nfs/rpc/reply_cache.h"

namespace nfs {

// Who sent a call, as the transport knows it.
struct Peer {
    PeerAddress address{};
    std::uint16_t port = 0;
};

// How a procedure ended. Only after `success` is what it wrote a result.
enum class Answer {
    success,
    garbage_args,  // the arguments could not be decoded, nothing was done
    system_error,  // no answer of the procedure's own fits
    not_now,       // try_call only: memory can not answer this, use `call`
};

// The programs behind the connections. Threads: any.
class Service {
public:
    struct Known {
        bool keep_reply = false;  // must not be carried out twice
    };
    struct NoProgram {};
    struct NoProcedure {};
    using Lookup = std::variant<Known, NoProgram, VersionRange, NoProcedure>;

    virtual ~Service() = default;
    virtual Lookup find(std::uint32_t program,
                        std::uint32_t version,
                        std::uint32_t procedure) const = 0;
    // How long the reply may get, where that is more than a few KiB; else 0. A guess from the
    // arguments, which may be nonsense.
    virtual std::size_t large_reply_bytes(const Call& call) const = 0;
    // Answers from memory or not at all: never waits, since it runs on an I/O thread. Only for
    // calls whose reply need not be kept.
    virtual Answer try_call(const Peer& peer, const Call& call, Writer& out) = 0;
    // May wait for disks.
    virtual Answer call(const Peer& peer, const Call& call, Writer& out) = 0;
    // Writes the result that asks the client to try again later.
    virtual Answer refuse(const Call& call, Writer& out) = 0;
};

}  // namespace nfs
