#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "nfs/xdr/reader.h"
#include "nfs/xdr/writer.h"

namespace nfs {

// ONC RPC version 2 over TCP, RFC 5531.

enum class AuthFlavor : std::uint32_t {
    none = 0,
    sys = 1,
    shorthand = 2,
    dh = 3,
    gss = 6,
    tls = 7
};

enum class AuthStat : std::uint32_t {
    bad_credential = 1,
    rejected_credential = 2,
    bad_verifier = 3,
    rejected_verifier = 4,
    too_weak = 5,
};

enum class AcceptStat : std::uint32_t {
    success = 0,
    program_unavailable = 1,
    program_mismatch = 2,
    procedure_unavailable = 3,
    garbage_args = 4,
    system_error = 5,
};

// Who the caller says it is. AUTH_NONE has no identity: `is_sys` is false.
struct Caller {
    static constexpr std::size_t kGroupsMax = 16;

    bool is_sys = false;
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::uint32_t group_count = 0;
    std::array<std::uint32_t, kGroupsMax> group_list{};
    std::string_view machine;  // in the record

    std::span<const std::uint32_t> groups() const { return {group_list.data(), group_count}; }
};

// A call as it came; everything in it lies in the record.
struct Call {
    std::uint32_t xid = 0;
    std::uint32_t program = 0;
    std::uint32_t version = 0;
    std::uint32_t procedure = 0;
    Caller caller;
    Bytes args;
};

struct VersionRange {
    std::uint32_t low = 0;
    std::uint32_t high = 0;
};

// What a record turned out to be.
struct ParsedCall {
    enum class Kind {
        call,
        wrong_rpc_version,  // answer write_rpc_mismatch
        denied,             // answer write_auth_error with `why`
        nonsense,           // not a call at all: there is nothing to answer, cut the connection
    };
    Kind kind = Kind::nonsense;
    Call call;  // `xid` is known for all kinds but `nonsense`
    AuthStat why = AuthStat::bad_credential;
};

ParsedCall parse_call(Bytes record);

// Begins a reply: a record marker to be filled in by `end_record`, and the header of an accepted
// call. What follows `success` is the result; nothing follows the other states.
Gather::Mark begin_accepted(Writer& out, std::uint32_t xid, AcceptStat stat);
// Fills in the length of the record begun at `begin`, which is the last in `out`.
void end_record(Gather& out, const Gather::Mark& begin);

// Whole records.
void write_accepted(Gather& out, std::uint32_t xid, AcceptStat stat);
void write_program_mismatch(Gather& out, std::uint32_t xid, VersionRange supported);
void write_rpc_mismatch(Gather& out, std::uint32_t xid);
void write_auth_error(Gather& out, std::uint32_t xid, AuthStat why);

}  // namespace nfs
