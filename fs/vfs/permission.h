#pragma once

#include "fs/vfs/types.h"
#include "objstore/meta/ops.h"

// POSIX's rules of modes and owners, as decisions without side effects.
namespace fs {

bool in_group(const Credentials& who, std::uint32_t gid);

// Those of the wanted bits (kMay...) that the mode grants.
std::uint32_t granted_access(const Credentials& who,
                             const objstore::Inode& inode,
                             std::uint32_t wanted);
// permission_denied unless all are granted, or the kernel has checked.
Status check_access(const Credentials& who, const objstore::Inode& inode, std::uint32_t wanted);

// Whether `who` may remove or rename the entry of `child` in `directory` (search, write, sticky).
Status check_remove(const Credentials& who,
                    const objstore::Inode& directory,
                    const objstore::Inode& child);

// Turns a wish into the operation, as chmod, chown and utimensat would; `now` for times that are
// the server's. The size is not part of it.
Result<objstore::SetAttributesOp> plan_setattr(const Credentials& who,
                                               const objstore::Inode& inode,
                                               const SetAttributes& changes,
                                               UnixNanos now);

}  // namespace fs
