#pragma once

#include <deque>
#include <string>
#include <string_view>

#include "nfs/ops/request.h"
#include "nfs/xdr/writer.h"
#include "objstore/base/guarded.h"

namespace nfs {

// The MOUNT protocol, versions 1 and 3: from a path to the handle to begin with. Exported are `/`
// (all buckets, unless switched off), `/BUCKET` and any directory below. Threads: any.
class MountProgram final {
public:
    enum class Procedure : std::uint32_t {
        null = 0,
        mount = 1,
        dump = 2,
        unmount = 3,
        unmount_all = 4,
        list_exports = 5,
    };
    static constexpr std::uint32_t kProcedureCount = 6;
    static constexpr std::uint32_t kVersionLow = 1;
    static constexpr std::uint32_t kVersionHigh = 3;  // and no 2

    explicit MountProgram(OpsContext& context) : context_(context) {}

    Answer call(const Call& call, Writer& out);

private:
    // Who mounted what, as far as clients told and memory allows: for people to look at.
    struct Mounted {
        std::string client;
        std::string path;
        bool operator==(const Mounted&) const = default;
    };

    Answer mount(const Call& call, Writer& out);
    Answer unmount(const Call& call, Writer& out);
    Answer unmount_all(const Call& call, Writer& out);
    Answer dump(Writer& out);
    Answer list_exports(Request& request, Writer& out);
    Request::Target resolve(Request& request, std::string_view path);

    OpsContext& context_;
    objstore::Guarded<std::deque<Mounted>> mounted_;
};

}  // namespace nfs
