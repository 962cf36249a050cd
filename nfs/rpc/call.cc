#include "nfs/rpc/call.h"

#include "nfs/rpc/record.h"

namespace nfs {

namespace {

constexpr std::uint32_t kRpcVersion = 2;
constexpr std::uint32_t kCall = 0;
constexpr std::uint32_t kReply = 1;
constexpr std::uint32_t kAccepted = 0;
constexpr std::uint32_t kDenied = 1;
constexpr std::uint32_t kRpcMismatch = 0;
constexpr std::uint32_t kAuthError = 1;
constexpr std::size_t kAuthBytesMax = 400;
constexpr std::size_t kMachineNameBytesMax = 255;

std::uint32_t word(auto value) {
    return static_cast<std::uint32_t>(value);
}

// The body of an AUTH_SYS credential; false when it is malformed.
bool read_sys(Bytes body, Caller& caller) {
    Reader in(body);
    in.u32();  // stamp: anything
    caller.machine = in.text(kMachineNameBytesMax);
    caller.uid = in.u32();
    caller.gid = in.u32();
    caller.group_count = in.count(Caller::kGroupsMax, 4);
    for (std::uint32_t i = 0; i < caller.group_count; ++i) caller.group_list[i] = in.u32();
    caller.is_sys = in.ok();
    return in.ok() && in.remaining() == 0;
}

// Why the credential and verifier that come next are not good enough, if so.
std::optional<AuthStat> read_auth(Reader& in, Caller& caller) {
    const auto flavor = static_cast<AuthFlavor>(in.u32());
    const Bytes body = in.opaque(kAuthBytesMax);
    if (!in.ok()) return AuthStat::bad_credential;
    const auto verifier = static_cast<AuthFlavor>(in.u32());
    in.opaque(kAuthBytesMax);
    if (!in.ok()) return AuthStat::bad_verifier;
    switch (flavor) {
        case AuthFlavor::none:
            break;
        case AuthFlavor::sys:
            if (!read_sys(body, caller)) return AuthStat::bad_credential;
            break;
        case AuthFlavor::shorthand:  // we never gave any out: begin again with a full one
        case AuthFlavor::gss:
        case AuthFlavor::tls:
            return AuthStat::rejected_credential;
        case AuthFlavor::dh:  // broken long ago
        default:
            return AuthStat::too_weak;
    }
    if (verifier != AuthFlavor::none) return AuthStat::bad_verifier;
    return std::nullopt;
}

Gather::Mark begin_reply(Writer& out, std::uint32_t xid, std::uint32_t state) {
    const Gather::Mark begin = out.out().mark();
    out.u32(0);
    out.u32(xid);
    out.u32(kReply);
    out.u32(state);
    return begin;
}

}  // namespace

ParsedCall parse_call(Bytes record) {
    ParsedCall parsed;
    Reader in(record);
    Call& call = parsed.call;
    call.xid = in.u32();
    const std::uint32_t direction = in.u32();
    const std::uint32_t rpc_version = in.u32();
    if (!in.ok() || direction != kCall) return parsed;
    if (rpc_version != kRpcVersion) {
        parsed.kind = ParsedCall::Kind::wrong_rpc_version;
        return parsed;
    }
    call.program = in.u32();
    call.version = in.u32();
    call.procedure = in.u32();
    if (!in.ok()) return parsed;
    if (const auto why = read_auth(in, call.caller)) {
        parsed.kind = ParsedCall::Kind::denied;
        parsed.why = *why;
        return parsed;
    }
    call.args = in.rest();
    parsed.kind = ParsedCall::Kind::call;
    return parsed;
}

Gather::Mark begin_accepted(Writer& out, std::uint32_t xid, AcceptStat stat) {
    const Gather::Mark begin = begin_reply(out, xid, kAccepted);
    out.u32(word(AuthFlavor::none));  // the server's verifier: none, of no length
    out.u32(0);
    out.u32(word(stat));
    return begin;
}

void end_record(Gather& out, const Gather::Mark& begin) {
    const std::size_t size_bytes = out.size() - begin.size_bytes - 4;
    ASSERT(size_bytes < kLastFragment);
    store_u32(out.own_since(begin).data(), kLastFragment | word(size_bytes));
}

void write_accepted(Gather& out, std::uint32_t xid, AcceptStat stat) {
    Writer writer(out);
    end_record(out, begin_accepted(writer, xid, stat));
}

void write_program_mismatch(Gather& out, std::uint32_t xid, VersionRange supported) {
    Writer writer(out);
    const auto begin = begin_accepted(writer, xid, AcceptStat::program_mismatch);
    writer.u32(supported.low);
    writer.u32(supported.high);
    end_record(out, begin);
}

void write_rpc_mismatch(Gather& out, std::uint32_t xid) {
    Writer writer(out);
    const auto begin = begin_reply(writer, xid, kDenied);
    writer.u32(kRpcMismatch);
    writer.u32(kRpcVersion);
    writer.u32(kRpcVersion);
    end_record(out, begin);
}

void write_auth_error(Gather& out, std::uint32_t xid, AuthStat why) {
    Writer writer(out);
    const auto begin = begin_reply(writer, xid, kDenied);
    writer.u32(kAuthError);
    writer.u32(word(why));
    end_record(out, begin);
}

}  // namespace nfs
