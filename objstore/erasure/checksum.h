#pragma once

#include <cstdint>

#include "objstore/base/bytes.h"

namespace objstore {

// CRC-32C (Castagnoli, RFC 3720), as hardware computes it; `seed` is the CRC of what came before.
// crc32c("123456789") == 0xe3069283.
std::uint32_t crc32c(Bytes bytes, std::uint32_t seed = 0);

// CRC-32 (IEEE, as zlib). crc32("123456789") == 0xcbf43926.
std::uint32_t crc32(Bytes bytes, std::uint32_t seed = 0);

// CRC-64/NVME, as S3 names it. crc64nvme("123456789") == 0xae8b14860a799888.
std::uint64_t crc64nvme(Bytes bytes, std::uint64_t seed = 0);

}  // namespace objstore
