#include <cstdint>
#include <string>

#include "objstore/base/assert.h"
#include "objstore/meta/inode.h"
#include "objstore/meta/record.h"

using namespace objstore;

namespace {

void look_at_extents(const std::vector<Extent>& extents) {
    std::uint64_t end = 0;
    for (const Extent& extent : extents) {
        ASSERT(extent.logical_offset >= end);
        ASSERT(extent.end() > extent.logical_offset);
        end = extent.end();
    }
}

void look_at_inode(Bytes bytes) {
    const auto inode = decode_inode(bytes);
    if (!inode.ok()) return;
    look_at_extents(inode->extents);
    // Not the same bytes: a part that is there and says nothing is left out.
    const auto again = decode_inode(as_bytes(encode_inode(*inode)));
    ASSERT(again.ok());
    ASSERT(*again == *inode);
}

void look_at_extent(std::uint64_t logical_offset, Bytes bytes) {
    const auto extent = decode_extent(logical_offset, bytes);
    if (!extent.ok()) return;
    look_at_extents({*extent});
    const auto again = decode_extent(logical_offset, as_bytes(encode_extent(*extent)));
    ASSERT(again.ok());
    ASSERT(*again == *extent);
}

void look_at_part(Bytes bytes) {
    const auto part = decode_part(7, 1, bytes);
    if (!part.ok()) return;
    look_at_extents(part->extents);
    const auto again = decode_part(7, 1, as_bytes(encode_part(*part)));
    ASSERT(again.ok());
    ASSERT(*again == *part);
}

void look_at_upload(Bytes bytes) {
    UploadRow upload;
    if (!decode_upload(bytes, upload).ok()) return;
    UploadRow again;
    ASSERT(decode_upload(as_bytes(encode_upload(upload)), again).ok());
    ASSERT(again == upload);
}

}  // namespace

// A row's body in the namespace: the first byte says of which table, the rest is what a rotten
// disk gave. What is accepted must mean the same when it is written again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const Bytes bytes = std::as_bytes(std::span(data, size)).subspan(1);
    switch (data[0] % 4) {
        case 0:
            look_at_inode(bytes);
            break;
        case 1:
            look_at_extent(data[0] < 128 ? 0 : ~std::uint64_t{0} - 4096, bytes);
            break;
        case 2:
            look_at_part(bytes);
            break;
        default:
            look_at_upload(bytes);
            break;
    }
    return 0;
}
