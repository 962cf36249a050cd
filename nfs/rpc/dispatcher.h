#pragma once

#include <optional>

#include "nfs/rpc/reply_cache.h"
#include "nfs/rpc/service.h"

namespace nfs {

// From a record to its reply: header, credentials, programs, repeated calls. Knows no sockets.
// Threads: any. `service` and `replies` must outlive this.
class Dispatcher final {
public:
    enum class Verdict {
        answered,  // the reply is in `out`
        dropped,   // there will be none
        cut,       // this is not RPC: close the connection
        wait,      // let a worker `finish` the call
        no_room,   // nothing was done: begin it again with room for `reply_bytes`
    };
    struct Begun {
        Verdict verdict = Verdict::cut;
        // With `wait`: what `finish` or `refuse` needs. Lies in the record.
        Call call;
        std::optional<CallKey> key;
        std::size_t reply_bytes = 0;  // of a large reply, at most; 0: it is small
    };

    Dispatcher(Service& service, ReplyCache& replies);

    // Never waits. Replies are whole records at the end of `out`. Small ones need no `room_bytes`.
    Begun begin(const Peer& peer, Bytes record, Gather& out, std::size_t room_bytes);
    // Carries the call out and writes its reply; may wait for disks. Exactly one of `finish` and
    // `refuse` follows a `wait`.
    void finish(const Peer& peer, const Begun& begun, Gather& out);
    // There is no worker for it: asks the client to come again.
    void refuse(const Begun& begun, Gather& out);

private:
    template <typename Fn>
    Answer reply(const Call& call, Gather& out, Fn&& fn);
    bool write_if_unknown(const Call& call, Gather& out, bool& keep_reply);

    Service& service_;
    ReplyCache& replies_;
};

}  // namespace nfs
