#include "nfs/ops/results.h"

#include <algorithm>

#include <sys/sysmacros.h>

namespace nfs {

namespace {

using objstore::FileType;

constexpr std::int64_t kNanosPerSecond = 1'000'000'000;
constexpr std::int64_t kSecondsMax = 0xffffffff;

WireType to_wire(FileType type) {
    switch (type) {
        case FileType::regular:
            return WireType::regular;
        case FileType::directory:
            return WireType::directory;
        case FileType::symlink:
            return WireType::symlink;
        case FileType::fifo:
            return WireType::fifo;
        case FileType::char_device:
            return WireType::char_device;
        case FileType::block_device:
            return WireType::block_device;
        case FileType::socket:
            return WireType::socket;
    }
    UNREACHABLE();
}

std::byte* put_u32(std::byte* to, std::uint32_t value) {
    store_u32(to, value);
    return to + 4;
}
std::byte* put_u64(std::byte* to, std::uint64_t value) {
    store_u64(to, value);
    return to + 8;
}
// The protocol's seconds are unsigned and 32 bits: 1970 to 2106.
std::byte* put_time(std::byte* to, objstore::UnixNanos time) {
    const std::int64_t seconds = std::min(time / kNanosPerSecond, kSecondsMax);
    const bool before = time < 0;
    to = put_u32(to, before ? 0 : static_cast<std::uint32_t>(seconds));
    return put_u32(to, before ? 0 : static_cast<std::uint32_t>(time % kNanosPerSecond));
}

}  // namespace

void write_status(Writer& out, NfsStatus status) {
    out.u32(static_cast<std::uint32_t>(status));
}

void write_attributes(Writer& out, const fs::Attributes& attributes, std::uint64_t fsid) {
    encode_attributes(out.out().extend(kAttributesBytes), attributes, fsid);
}

void encode_attributes(objstore::MutableBytes space,
                       const fs::Attributes& attributes,
                       std::uint64_t fsid) {
    ASSERT(space.size() == kAttributesBytes);
    ASSERT(attributes.inode != 0);
    std::byte* at = space.data();
    at = put_u32(at, static_cast<std::uint32_t>(to_wire(attributes.type)));
    at = put_u32(at, attributes.mode & 07777);
    at = put_u32(at, attributes.nlink);
    at = put_u32(at, attributes.uid);
    at = put_u32(at, attributes.gid);
    at = put_u64(at, attributes.size);
    at = put_u64(at, attributes.used_bytes);
    at = put_u32(at, gnu_dev_major(attributes.rdev));
    at = put_u32(at, gnu_dev_minor(attributes.rdev));
    at = put_u64(at, fsid);
    at = put_u64(at, attributes.inode);
    at = put_time(at, attributes.atime);
    at = put_time(at, attributes.mtime);
    at = put_time(at, attributes.ctime);
    ASSERT(at == space.data() + space.size());
}

void write_handle(Writer& out, const HandleCodec& codec, const FileHandle& handle) {
    const auto encoded = codec.encode(handle);
    out.opaque(objstore::Bytes(encoded));
}

void write_post_op(Request& request, Writer& out, const std::optional<fs::Attributes>& attributes) {
    out.boolean(attributes.has_value());
    if (attributes) write_attributes(out, *attributes, request.context().fsid);
}

void write_post_op(Request& request, Writer& out, InodeId inode) {
    write_post_op(request, out, request.attributes(inode));
}

void write_wcc(Request& request,
               Writer& out,
               const std::optional<fs::AttributeChange>& change,
               InodeId inode) {
    out.boolean(change.has_value());
    if (!change) return write_post_op(request, out, inode);
    out.u64(change->before.size);
    auto* at = out.out().extend(16).data();
    put_time(put_time(at, change->before.mtime), change->before.ctime);
    write_post_op(request, out, change->after);
}

Answer answer_status(Writer& out, NfsStatus status) {
    write_status(out, status);
    return Answer::success;
}

Answer answer_bad_handle(Writer& out, NfsStatus status, std::size_t words) {
    write_status(out, status);
    out.zeros(words);
    return Answer::success;
}

Answer answer_failed(Request& request, Writer& out, NfsStatus status, InodeId inode) {
    write_status(out, status);
    write_post_op(request, out, inode);
    return Answer::success;
}

Answer answer_unchanged(Request& request, Writer& out, NfsStatus status, InodeId inode) {
    write_status(out, status);
    write_wcc(request, out, std::nullopt, inode);
    return Answer::success;
}

Answer answer_created(Request& request,
                      Writer& out,
                      const FileHandle& directory,
                      const fs::NameChange& change) {
    write_status(out, NfsStatus::ok);
    out.boolean(change.attributes.has_value());
    if (change.attributes) {
        const FileHandle handle{directory.exported, change.attributes->inode};
        write_handle(out, request.context().handles, handle);
    }
    write_post_op(request, out, change.attributes);
    write_wcc(request, out, change.parent, directory.inode);
    return Answer::success;
}

Answer answer_name_change(Request& request,
                          Writer& out,
                          const FileHandle& directory,
                          const objstore::Result<fs::NameChange>& change) {
    if (!change.ok()) {
        return answer_unchanged(request, out, request.failed(change.error()), directory.inode);
    }
    write_status(out, NfsStatus::ok);
    write_wcc(request, out, change->parent, directory.inode);
    return Answer::success;
}

fs::SetAttributes to_vfs(const NewAttributes& attributes) {
    fs::SetAttributes set;
    if (attributes.mode) set.mode = *attributes.mode & 07777;
    set.uid = attributes.uid;
    set.gid = attributes.gid;
    set.size = attributes.size;
    set.atime_now = attributes.atime.how == SetTime::How::server;
    set.mtime_now = attributes.mtime.how == SetTime::How::server;
    if (attributes.atime.how == SetTime::How::client) set.atime = attributes.atime.time;
    if (attributes.mtime.how == SetTime::How::client) set.mtime = attributes.mtime.time;
    return set;
}

}  // namespace nfs
