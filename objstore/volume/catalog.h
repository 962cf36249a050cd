#pragma once

#include <cstdint>

#include "objstore/base/status.h"
#include "objstore/erasure/volume_row.h"

namespace objstore {

// Where volumes are listed. Implemented over the namespace. Threads: any.
class VolumeCatalog {
public:
    virtual ~VolumeCatalog() = default;
    // Durable on return. The row is there before the volume's first stripe, and goes only when
    // there is none: files with stripes and without a row are proof that the namespace lost
    // commits.
    virtual Status add_volume(const VolumeRow& row) = 0;
    // Sets state, length and payload_bytes. Durable within a second; a crash before that means the
    // volume is recovered and sealed once more.
    virtual Status seal_volume(VolumeId id, std::uint64_t length, std::uint64_t payload_bytes) = 0;
    // The number of the next start's VolumeStore::Options::order_after. Durable on return.
    virtual Status reserve_order(std::uint64_t number) = 0;
};

}  // namespace objstore
