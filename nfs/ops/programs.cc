#include "nfs/ops/programs.h"

#include <algorithm>
#include <array>

#include "nfs/ops/procedures.h"
#include "nfs/ops/protocol.h"
#include "nfs/ops/results.h"

namespace nfs {

namespace {

constexpr std::uint32_t kNfsVersion = 3;
constexpr std::size_t kSmallReplyBytes = 8 * objstore::kKiB;

struct Entry {
    Answer (*run)(Request&, Writer&);
    bool in_place;              // memory can answer it
    bool keep_reply;            // must not be carried out twice
    std::size_t failure_words;  // of zeros behind the status of a failure that tells nothing
};

constexpr std::array<Entry, 22> kProcedures{{
    {null, true, false, 0},    {getattr, true, false, 0},  {setattr, false, true, 2},
    {lookup, true, false, 1},  {access, true, false, 1},   {readlink, false, false, 1},
    {read, true, false, 1},    {write, false, false, 2},   {create, false, true, 2},
    {mkdir, false, true, 2},   {symlink, false, true, 2},  {mknod, false, true, 2},
    {remove, false, true, 2},  {rmdir, false, true, 2},    {rename, false, true, 4},
    {link, false, true, 3},    {readdir, false, false, 1}, {readdirplus, false, false, 1},
    {fsstat, false, false, 1}, {fsinfo, true, false, 1},   {pathconf, true, false, 1},
    {commit, false, false, 2},
}};

}  // namespace

Service::Lookup Programs::find(std::uint32_t program,
                               std::uint32_t version,
                               std::uint32_t procedure) const {
    if (program == kNfsProgram) {
        if (version != kNfsVersion) return VersionRange{kNfsVersion, kNfsVersion};
        if (procedure >= kProcedures.size()) return NoProcedure{};
        return Known{kProcedures[procedure].keep_reply};
    }
    if (program != kMountProgram) return NoProgram{};
    if (version != MountProgram::kVersionLow && version != MountProgram::kVersionHigh) {
        return VersionRange{MountProgram::kVersionLow, MountProgram::kVersionHigh};
    }
    if (procedure >= MountProgram::kProcedureCount) return NoProcedure{};
    return Known{false};
}

// Of calls whose replies grow with what they ask for.
std::size_t Programs::large_reply_bytes(const Call& call) const {
    if (call.program != kNfsProgram) return 0;
    Reader args(call.args);
    std::size_t asked_bytes = 0;
    if (kProcedures[call.procedure].run == read) asked_bytes = ReadArgs::read(args).count;
    if (kProcedures[call.procedure].run == readdir) asked_bytes = ReaddirArgs::read(args).count;
    if (kProcedures[call.procedure].run == readdirplus) {
        asked_bytes = ReaddirplusArgs::read(args).max_count;
    }
    if (asked_bytes <= kSmallReplyBytes) return 0;
    return std::min<std::size_t>(asked_bytes, context_.options.transfer_bytes_max) +
           kSmallReplyBytes;
}

Answer Programs::try_call(const Peer&, const Call& call, Writer& out) {
    if (call.program == kMountProgram) {
        return call.procedure == 0 ? Answer::success : Answer::not_now;
    }
    const Entry& entry = kProcedures[call.procedure];
    if (!entry.in_place) return Answer::not_now;
    Request request(context_, call, false);
    return entry.run(request, out);
}

Answer Programs::call(const Peer&, const Call& call, Writer& out) {
    if (call.program == kMountProgram) return mount_.call(call, out);
    Request request(context_, call, true);
    return kProcedures[call.procedure].run(request, out);
}

Answer Programs::refuse(const Call& call, Writer& out) {
    if (call.program == kMountProgram) return Answer::system_error;
    return answer_bad_handle(out, NfsStatus::jukebox, kProcedures[call.procedure].failure_words);
}

}  // namespace nfs
