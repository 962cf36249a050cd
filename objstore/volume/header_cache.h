#pragma once

#include <array>
#include <mutex>
#include <optional>
#include <vector>

#include "objstore/volume/format.h"

namespace objstore {

// What a read takes from a stripe header: whose it is, and the checksums of its column.
struct ShardHeader {
    VolumeId volume = 0;
    std::uint64_t place = 0;
    std::uint32_t nonce = 0;
    std::uint32_t header_bytes = 0;
    std::uint32_t column_bytes = 0;
    int shard = 0;
    std::array<std::uint32_t, kGranulesMax> granules;
};

// Headers read lately, those of one place in one shard file at most once. Bounded: 2,048, some
// 600 KB. Threads: any. Cost: one short lock, no allocation.
class HeaderCache final {
public:
    HeaderCache();
    std::optional<ShardHeader> find(VolumeId volume, std::uint64_t place, int shard);
    void put(const ShardHeader& header);

private:
    static constexpr std::size_t kWays = 8;  // entries that a key may take; the oldest use goes
    static constexpr std::size_t kSets = 256;
    struct Set {
        std::mutex mutex;
        std::uint32_t uses = 0;
        std::array<std::uint32_t, kWays> used{};  // of `uses`, when it was used last
        std::array<ShardHeader, kWays> headers;
    };

    Set& set_of(VolumeId volume, std::uint64_t place, int shard);

    std::vector<Set> sets_;
};

}  // namespace objstore
