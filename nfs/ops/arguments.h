#pragma once

#include <optional>
#include <string_view>

#include "nfs/ops/protocol.h"
#include "nfs/xdr/reader.h"
#include "objstore/base/clock.h"

// The arguments of the procedures of NFSv3. They lie in the record. After `read`, ask the Reader
// whether all of it was good before using any.
namespace nfs {

// What a client passes as a file handle; nothing is known of it yet.
using HandleArg = Bytes;

struct NameArg {
    HandleArg directory;
    std::string_view name;
};

struct SetTime {
    enum class How : std::uint32_t { keep = 0, server = 1, client = 2 };
    How how = How::keep;
    objstore::UnixNanos time = 0;  // client
};

// sattr3.
struct NewAttributes {
    std::optional<std::uint32_t> mode;
    std::optional<std::uint32_t> uid;
    std::optional<std::uint32_t> gid;
    std::optional<std::uint64_t> size;
    SetTime atime;
    SetTime mtime;
    bool valid = true;  // false: a time has a billion nanoseconds or more
};

struct SetattrArgs {
    HandleArg handle;
    NewAttributes attributes;
    std::optional<objstore::UnixNanos> guard;  // the ctime that the object must have
    static SetattrArgs read(Reader& in);
};
struct AccessArgs {
    HandleArg handle;
    std::uint32_t wanted = 0;
    static AccessArgs read(Reader& in);
};
struct ReadArgs {
    HandleArg handle;
    std::uint64_t offset = 0;
    std::uint32_t count = 0;
    static ReadArgs read(Reader& in);
};
struct WriteArgs {
    HandleArg handle;
    std::uint64_t offset = 0;
    std::uint32_t count = 0;
    Stable stable = Stable::unstable;
    Bytes data;
    static WriteArgs read(Reader& in);
};
struct CreateArgs {
    NameArg where;
    CreateMode mode = CreateMode::unchecked;
    NewAttributes attributes;
    std::uint64_t verifier = 0;  // exclusive, instead of attributes
    static CreateArgs read(Reader& in);
};
struct MkdirArgs {
    NameArg where;
    NewAttributes attributes;
    static MkdirArgs read(Reader& in);
};
struct SymlinkArgs {
    NameArg where;
    NewAttributes attributes;
    std::string_view target;
    static SymlinkArgs read(Reader& in);
};
struct MknodArgs {
    NameArg where;
    WireType type = WireType::regular;
    NewAttributes attributes;
    std::uint32_t major = 0;
    std::uint32_t minor = 0;
    static MknodArgs read(Reader& in);
};
struct RenameArgs {
    NameArg from;
    NameArg to;
    static RenameArgs read(Reader& in);
};
struct LinkArgs {
    HandleArg handle;
    NameArg where;
    static LinkArgs read(Reader& in);
};
struct ReaddirArgs {
    HandleArg handle;
    std::uint64_t cookie = 0;
    std::uint64_t verifier = 0;
    std::uint32_t count = 0;
    static ReaddirArgs read(Reader& in);
};
struct ReaddirplusArgs {
    HandleArg handle;
    std::uint64_t cookie = 0;
    std::uint64_t verifier = 0;
    std::uint32_t dir_count = 0;  // of names and cookies
    std::uint32_t max_count = 0;  // of the whole result
    static ReaddirplusArgs read(Reader& in);
};
struct CommitArgs {
    HandleArg handle;
    std::uint64_t offset = 0;
    std::uint32_t count = 0;  // 0: to the end
    static CommitArgs read(Reader& in);
};

HandleArg read_handle(Reader& in);
NameArg read_name(Reader& in);
NewAttributes read_new_attributes(Reader& in);

}  // namespace nfs
