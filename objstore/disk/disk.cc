#include "objstore/disk/disk.h"

#include <fmt/format.h>

namespace objstore {

Status File::read_checked_at(std::uint64_t offset, MutableBytes out, const ReadCheck& check) const {
    TRY(read_at(offset, out));
    if (check.is_right(out)) return {};
    return Status::corruption(fmt::format("{} bytes at {} are not what was written",
                                          out.size() - check.context_bytes,
                                          offset + check.context_bytes));
}

Status File::write_each(std::span<const FileWrite> writes) {
    for (const FileWrite& write : writes) TRY(write_at(write.offset, write.bytes));
    return {};
}

Status File::write_and_sync(std::span<const FileWrite> writes) {
    TRY(write_each(writes));
    const Status synced = sync();
    if (synced.ok()) return {};
    return Status(synced.code(), std::string(synced.message()), Why::outcome_unknown);
}

}  // namespace objstore
