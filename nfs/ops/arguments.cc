#include "nfs/ops/arguments.h"

namespace nfs {

namespace {

constexpr std::uint32_t kNanosPerSecond = 1'000'000'000;

struct WireTime {
    objstore::UnixNanos nanos = 0;
    bool valid = true;
};

WireTime read_time(Reader& in) {
    const objstore::UnixNanos seconds = in.u32();
    const std::uint32_t nanos = in.u32();
    return {seconds * kNanosPerSecond + nanos, nanos < kNanosPerSecond};
}

std::optional<std::uint32_t> read_optional(Reader& in) {
    if (!in.boolean()) return std::nullopt;
    return in.u32();
}

SetTime read_set_time(Reader& in, bool& valid) {
    SetTime set;
    set.how = static_cast<SetTime::How>(in.enumeration(0, 2));
    if (set.how != SetTime::How::client) return set;
    const WireTime time = read_time(in);
    set.time = time.nanos;
    valid = valid && time.valid;
    return set;
}

}  // namespace

HandleArg read_handle(Reader& in) {
    return in.opaque(kHandleBytesMax);
}

NameArg read_name(Reader& in) {
    NameArg arg;
    arg.directory = read_handle(in);
    arg.name = in.text(kNameWireBytesMax);
    return arg;
}

NewAttributes read_new_attributes(Reader& in) {
    NewAttributes set;
    set.mode = read_optional(in);
    set.uid = read_optional(in);
    set.gid = read_optional(in);
    if (in.boolean()) set.size = in.u64();
    set.atime = read_set_time(in, set.valid);
    set.mtime = read_set_time(in, set.valid);
    return set;
}

SetattrArgs SetattrArgs::read(Reader& in) {
    SetattrArgs args;
    args.handle = read_handle(in);
    args.attributes = read_new_attributes(in);
    if (in.boolean()) args.guard = read_time(in).nanos;
    return args;
}

AccessArgs AccessArgs::read(Reader& in) {
    AccessArgs args;
    args.handle = read_handle(in);
    args.wanted = in.u32();
    return args;
}

ReadArgs ReadArgs::read(Reader& in) {
    ReadArgs args;
    args.handle = read_handle(in);
    args.offset = in.u64();
    args.count = in.u32();
    return args;
}

WriteArgs WriteArgs::read(Reader& in) {
    WriteArgs args;
    args.handle = read_handle(in);
    args.offset = in.u64();
    args.count = in.u32();
    args.stable = static_cast<Stable>(in.enumeration(0, 2));
    args.data = in.opaque(in.remaining());
    return args;
}

CreateArgs CreateArgs::read(Reader& in) {
    CreateArgs args;
    args.where = read_name(in);
    args.mode = static_cast<CreateMode>(in.enumeration(0, 2));
    if (args.mode == CreateMode::exclusive) {
        args.verifier = in.u64();
    } else {
        args.attributes = read_new_attributes(in);
    }
    return args;
}

MkdirArgs MkdirArgs::read(Reader& in) {
    MkdirArgs args;
    args.where = read_name(in);
    args.attributes = read_new_attributes(in);
    return args;
}

SymlinkArgs SymlinkArgs::read(Reader& in) {
    SymlinkArgs args;
    args.where = read_name(in);
    args.attributes = read_new_attributes(in);
    args.target = in.text(kPathWireBytesMax);
    return args;
}

MknodArgs MknodArgs::read(Reader& in) {
    MknodArgs args;
    args.where = read_name(in);
    args.type = static_cast<WireType>(in.enumeration(1, 7));
    const bool is_device =
        args.type == WireType::char_device || args.type == WireType::block_device;
    if (is_device || args.type == WireType::socket || args.type == WireType::fifo) {
        args.attributes = read_new_attributes(in);
    }
    if (is_device) {
        args.major = in.u32();
        args.minor = in.u32();
    }
    return args;
}

RenameArgs RenameArgs::read(Reader& in) {
    RenameArgs args;
    args.from = read_name(in);
    args.to = read_name(in);
    return args;
}

LinkArgs LinkArgs::read(Reader& in) {
    LinkArgs args;
    args.handle = read_handle(in);
    args.where = read_name(in);
    return args;
}

ReaddirArgs ReaddirArgs::read(Reader& in) {
    ReaddirArgs args;
    args.handle = read_handle(in);
    args.cookie = in.u64();
    args.verifier = in.u64();
    args.count = in.u32();
    return args;
}

ReaddirplusArgs ReaddirplusArgs::read(Reader& in) {
    ReaddirplusArgs args;
    args.handle = read_handle(in);
    args.cookie = in.u64();
    args.verifier = in.u64();
    args.dir_count = in.u32();
    args.max_count = in.u32();
    return args;
}

CommitArgs CommitArgs::read(Reader& in) {
    CommitArgs args;
    args.handle = read_handle(in);
    args.offset = in.u64();
    args.count = in.u32();
    return args;
}

}  // namespace nfs
