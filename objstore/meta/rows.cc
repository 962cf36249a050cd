#include "objstore/meta/rows.h"

#include <fmt/format.h>

#include "objstore/erasure/checksum.h"

namespace objstore {

InlineHead head_of(const InlineRow& row) {
    return {row.id, row.inode, row.logical_offset, row.crc, row.bytes.size()};
}

Status check_bytes(const InlineRow& row) {
    if (crc32c(as_bytes(row.bytes)) == row.crc) return {};
    return Status::corruption(fmt::format("inline bytes {} are not what was written", row.id));
}

}  // namespace objstore
