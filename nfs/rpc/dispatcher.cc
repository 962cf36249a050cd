#include "nfs/rpc/dispatcher.h"

#include <cstring>
#include <exception>

namespace nfs {

Dispatcher::Dispatcher(Service& service, ReplyCache& replies)
    : service_(service), replies_(replies) {}

// Writes the reply of `fn`, or the RPC error that stands for it. `not_now` leaves no trace.
template <typename Fn>
Answer Dispatcher::reply(const Call& call, Gather& out, Fn&& fn) {
    Writer writer(out);
    const auto begin = begin_accepted(writer, call.xid, AcceptStat::success);
    const Answer answer = fn(writer);
    if (answer == Answer::success) {
        end_record(out, begin);
        return answer;
    }
    out.rollback(begin);
    if (answer == Answer::garbage_args) write_accepted(out, call.xid, AcceptStat::garbage_args);
    if (answer == Answer::system_error) write_accepted(out, call.xid, AcceptStat::system_error);
    return answer;
}

// Answers a call of something we do not have.
bool Dispatcher::write_if_unknown(const Call& call, Gather& out, bool& keep_reply) {
    const auto found = service_.find(call.program, call.version, call.procedure);
    if (const auto* known = std::get_if<Service::Known>(&found)) {
        keep_reply = known->keep_reply;
        return false;
    }
    if (const auto* versions = std::get_if<VersionRange>(&found)) {
        write_program_mismatch(out, call.xid, *versions);
    } else if (std::holds_alternative<Service::NoProgram>(found)) {
        write_accepted(out, call.xid, AcceptStat::program_unavailable);
    } else {
        write_accepted(out, call.xid, AcceptStat::procedure_unavailable);
    }
    return true;
}

Dispatcher::Begun Dispatcher::begin(const Peer& peer,
                                    Bytes record,
                                    Gather& out,
                                    std::size_t room_bytes) {
    const ParsedCall parsed = parse_call(record);
    const Call& call = parsed.call;
    switch (parsed.kind) {
        case ParsedCall::Kind::nonsense:
            return {Verdict::cut, {}, {}};
        case ParsedCall::Kind::wrong_rpc_version:
            write_rpc_mismatch(out, call.xid);
            return {Verdict::answered, {}, {}};
        case ParsedCall::Kind::denied:
            write_auth_error(out, call.xid, parsed.why);
            return {Verdict::answered, {}, {}};
        case ParsedCall::Kind::call:
            break;
    }
    bool keep_reply = false;
    if (write_if_unknown(call, out, keep_reply)) return {Verdict::answered, {}, {}};
    if (!keep_reply) {
        const std::size_t reply_bytes = service_.large_reply_bytes(call);
        if (reply_bytes > room_bytes) return {Verdict::no_room, {}, {}, reply_bytes};
        const auto in_place = [&](Writer& writer) { return service_.try_call(peer, call, writer); };
        if (reply(call, out, in_place) != Answer::not_now) return {Verdict::answered, {}, {}};
        return {Verdict::wait, call, {}, reply_bytes};
    }
    const CallKey key = replies_.key_of(peer.address, call);
    ReplyCache::Found found = replies_.begin(key);
    switch (found.state) {
        case ReplyCache::State::in_progress:
            return {Verdict::dropped, {}, {}};
        case ReplyCache::State::done:
            std::memcpy(
                out.extend(found.reply.size()).data(), found.reply.data(), found.reply.size());
            return {Verdict::answered, {}, {}};
        case ReplyCache::State::unkept:
            return {Verdict::wait, call, {}};
        case ReplyCache::State::fresh:
            return {Verdict::wait, call, key};
    }
    UNREACHABLE();
}

void Dispatcher::finish(const Peer& peer, const Begun& begun, Gather& out) {
    ASSERT(begun.verdict == Verdict::wait);
    ASSERT(out.empty());
    Answer answer = Answer::system_error;
    try {
        const auto run = [&](Writer& writer) { return service_.call(peer, begun.call, writer); };
        answer = reply(begun.call, out, run);
        ASSERT(answer != Answer::not_now);
    } catch (const std::exception&) {  // memory ran out: the thread and the cache must survive it
        out.rollback({});
        write_accepted(out, begun.call.xid, AcceptStat::system_error);
    }
    if (!begun.key) return;
    // Of an RPC error it is not known what was done before it, so it is kept like any reply.
    if (answer == Answer::garbage_args) {
        replies_.forget(*begun.key);
    } else {
        replies_.finish(*begun.key, out.flatten());
    }
}

void Dispatcher::refuse(const Begun& begun, Gather& out) {
    ASSERT(begun.verdict == Verdict::wait);
    reply(begun.call, out, [&](Writer& writer) { return service_.refuse(begun.call, writer); });
    if (begun.key) replies_.forget(*begun.key);
}

}  // namespace nfs
