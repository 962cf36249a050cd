#pragma once

#include <array>
#include <cstdint>

#include "objstore/base/bytes.h"

namespace nfs {

using SipKey = std::array<std::uint64_t, 2>;

// SipHash-2-4: a keyed hash that who does not know the key can neither guess nor make collide.
std::uint64_t siphash(const SipKey& key, objstore::Bytes bytes);

}  // namespace nfs
