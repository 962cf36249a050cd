#pragma once

#include <algorithm>
#include <cstring>

#include "objstore/base/bytes.h"
#include "objstore/base/status.h"
#include "objstore/meta/meta_store.h"
#include "objstore/volume/volume_store.h"

namespace objstore {

// Calls copy(extent, index, offset in the extent, piece of `out`) for each extent of `map` that
// touches [offset, offset + out.size()), and fills what none covers with zeros.
template <typename Copy>
Status walk_content(const Namespace::ContentMap& map,
                    std::uint64_t offset,
                    MutableBytes out,
                    Copy&& copy) {
    std::uint64_t at = offset;
    const std::uint64_t end = offset + out.size();
    const auto piece = [&](std::uint64_t from, std::uint64_t to) {
        return out.subspan(static_cast<std::size_t>(from - offset),
                           static_cast<std::size_t>(to - from));
    };
    const auto zero = [](MutableBytes hole) { std::memset(hole.data(), 0, hole.size()); };
    for (std::size_t i = 0; i < map.extents.size() && at < end; ++i) {
        const Extent& extent = map.extents[i];
        if (extent.end() <= at) continue;
        if (extent.logical_offset >= end) break;
        const std::uint64_t from = std::max(at, extent.logical_offset);
        const std::uint64_t to = std::min(end, extent.end());
        if (from > at) zero(piece(at, from));
        TRY(copy(extent, i, from - extent.logical_offset, piece(from, to)));
        at = to;
    }
    if (at < end) zero(piece(at, end));
    return {};
}

// Fills `out` from `offset` out of stored bytes, each checked.
Status read_content(VolumeStore& volumes,
                    const Namespace::ContentMap& map,
                    std::uint64_t offset,
                    MutableBytes out);
// The same from memory and page cache alone. False: call read_content.
bool try_read_content(VolumeStore& volumes,
                      const Namespace::ContentMap& map,
                      std::uint64_t offset,
                      MutableBytes out);

}  // namespace objstore
