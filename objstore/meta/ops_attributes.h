#pragma once

#include "objstore/meta/inode.h"

namespace objstore {

inline constexpr std::uint32_t kModeMask = 07777;
inline constexpr std::uint32_t kPermissionMask = 0777;  // all that S3 metadata may set
inline constexpr std::uint32_t kSetuid = 04000;
inline constexpr std::uint32_t kSetgid = 02000;

// What writing to a file or giving it away takes: setuid, and setgid where the group may execute
// (without that it marks mandatory locking).
void drop_setid(Inode& inode);

}  // namespace objstore
