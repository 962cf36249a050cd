#include "objstore/volume/header_cache.h"

namespace objstore {

HeaderCache::HeaderCache() : sets_(kSets) {}

HeaderCache::Set& HeaderCache::set_of(VolumeId volume, std::uint64_t place, int shard) {
    // Ids are random, places multiples of a block.
    const std::uint64_t key = volume ^ (place / kBlockBytes * 0x9e3779b97f4a7c15) ^
                              (static_cast<std::uint64_t>(shard) * 0xff51afd7ed558ccd);
    return sets_[(key >> 32) % kSets];
}

std::optional<ShardHeader> HeaderCache::find(VolumeId volume, std::uint64_t place, int shard) {
    Set& set = set_of(volume, place, shard);
    const std::lock_guard lock(set.mutex);
    for (std::size_t i = 0; i < kWays; ++i) {
        const ShardHeader& h = set.headers[i];
        if (h.volume != volume || h.place != place || h.shard != shard) continue;
        set.used[i] = ++set.uses;
        return h;
    }
    return std::nullopt;
}

void HeaderCache::put(const ShardHeader& header) {
    Set& set = set_of(header.volume, header.place, header.shard);
    const std::lock_guard lock(set.mutex);
    std::size_t oldest = 0;
    for (std::size_t i = 0; i < kWays; ++i) {
        const ShardHeader& h = set.headers[i];
        if (h.volume == header.volume && h.place == header.place && h.shard == header.shard) {
            oldest = i;
            break;
        }
        if (set.used[i] < set.used[oldest]) oldest = i;
    }
    set.headers[oldest] = header;
    set.used[oldest] = ++set.uses;
}

}  // namespace objstore
