#include <algorithm>

#include "nfs/ops/procedures.h"
#include "nfs/ops/results.h"

namespace nfs {

using objstore::MutableBytes;
using objstore::Result;

namespace {

// Up to here the bytes are read to where the reply is written; larger ones are lent to it.
constexpr std::size_t kOwnBytesMax = 32 * objstore::kKiB;
// From here on a worker reads, though the bytes be in memory: meanwhile the connection's thread
// sends those of the call before. Two processors are then of use to one client.
constexpr std::size_t kWorkerBytesMin = 256 * objstore::kKiB;
constexpr std::size_t kHeaderBytes = 4 + kPostOpBytes + 4 + 4 + 4;  // status … length of the data

// Nothing: memory does not know.
std::optional<Result<fs::ReadResult>> read_into(Request& request,
                                                InodeId inode,
                                                std::uint64_t offset,
                                                MutableBytes space) {
    if (request.may_wait()) return request.vfs().read(request.who(), inode, offset, space);
    const auto found = request.vfs().try_read(request.who(), inode, offset, space);
    if (!found) return std::nullopt;
    return Result<fs::ReadResult>(*found);
}

// Everything but the data.
void write_header(Request& request,
                  Writer& out,
                  const fs::Attributes& attributes,
                  const fs::ReadResult& result) {
    write_status(out, NfsStatus::ok);
    write_post_op(request, out, attributes);
    out.u32(static_cast<std::uint32_t>(result.size));
    out.boolean(result.end_of_file);
}

// The same and the length of the data, before which it lies.
void fill_header(Request& request,
                 MutableBytes space,
                 const fs::Attributes& attributes,
                 const fs::ReadResult& result) {
    const auto size = static_cast<std::uint32_t>(result.size);
    store_u32(space.data(), static_cast<std::uint32_t>(NfsStatus::ok));
    store_u32(space.data() + 4, 1);
    encode_attributes(space.subspan(8, kAttributesBytes), attributes, request.context().fsid);
    const auto rest = space.subspan(8 + kAttributesBytes);
    store_u32(rest.data(), size);
    store_u32(rest.data() + 4, result.end_of_file ? 1 : 0);
    store_u32(rest.data() + 8, size);
}

struct Wanted {
    InodeId inode = 0;
    std::uint64_t offset = 0;
    std::size_t size_bytes = 0;
};

// The header comes before the data, but its attributes are those after the read.
Answer read_own(Request& request, Writer& out, const Wanted& wanted) {
    const auto begin = out.out().mark();
    const auto space = out.out().extend(kHeaderBytes + padded(wanted.size_bytes));
    const auto data = space.subspan(kHeaderBytes, wanted.size_bytes);
    const auto result = read_into(request, wanted.inode, wanted.offset, data);
    if (!result) return Answer::not_now;
    if (!result->ok()) {
        out.out().rollback(begin);
        return answer_failed(request, out, request.failed(result->error()), wanted.inode);
    }
    const auto attributes = request.attributes(wanted.inode);
    if (!attributes) {
        if (!request.may_wait()) return Answer::not_now;
        out.out().rollback(begin);
        return answer_bad_handle(out, NfsStatus::stale, 1);
    }
    const std::size_t used = (*result)->size;
    ASSERT(used <= wanted.size_bytes);
    fill_header(request, space.first(kHeaderBytes), *attributes, **result);
    std::fill(space.begin() + static_cast<std::ptrdiff_t>(kHeaderBytes + used),
              space.end(),
              std::byte{0});
    out.out().trim(padded(wanted.size_bytes) - padded(used));
    return Answer::success;
}

Answer read_lent(Request& request, Writer& out, const Wanted& wanted) {
    const BlockRef block = request.context().blocks.take(wanted.size_bytes);
    const auto data = block->span().first(wanted.size_bytes);
    const auto result = read_into(request, wanted.inode, wanted.offset, data);
    if (!result) return Answer::not_now;
    if (!result->ok()) {
        return answer_failed(request, out, request.failed(result->error()), wanted.inode);
    }
    const auto attributes = request.attributes(wanted.inode);
    if (!attributes && !request.may_wait()) return Answer::not_now;
    if (!attributes) return answer_bad_handle(out, NfsStatus::stale, 1);
    ASSERT((*result)->size <= wanted.size_bytes);
    write_header(request, out, *attributes, **result);
    out.opaque(Payload{data.first((*result)->size), block});
    return Answer::success;
}

}  // namespace

Answer read(Request& request, Writer& out) {
    const auto args = ReadArgs::read(request.args());
    if (!request.args().ok()) return Answer::garbage_args;
    const auto target = request.resolve(args.handle);
    if (!target.ok()) return answer_bad_handle(out, target.status, 1);
    if (args.offset > fs::kFileBytesMax) {
        return answer_failed(request, out, NfsStatus::inval, target.handle.inode);
    }
    const std::size_t size_bytes =
        std::min(args.count, request.context().options.transfer_bytes_max);
    if (size_bytes >= kWorkerBytesMin && !request.may_wait()) return Answer::not_now;
    const Wanted wanted{target.handle.inode, args.offset, size_bytes};
    return size_bytes <= kOwnBytesMax ? read_own(request, out, wanted)
                                      : read_lent(request, out, wanted);
}

}  // namespace nfs
