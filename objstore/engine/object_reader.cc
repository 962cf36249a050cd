#include "objstore/engine/object_reader.h"

#include <algorithm>
#include <cstring>

#include "objstore/engine/content_map.h"

namespace objstore {

namespace {

// How much of a very long extent list is held at once.
constexpr std::uint64_t kWindowBytes = 1024 * kMiB;

}  // namespace

Status read_content(VolumeStore& volumes,
                    const Namespace::ContentMap& map,
                    std::uint64_t offset,
                    MutableBytes out) {
    const auto copy = [&](const Extent& e, std::size_t i, std::uint64_t at, MutableBytes part) {
        if (e.kind == ExtentKind::stripe) return volumes.read(e, at, part);
        std::memcpy(part.data(), map.inlines[i]->data() + e.payload_offset + at, part.size());
        return Status();
    };
    return walk_content(map, offset, out, copy);
}

bool try_read_content(VolumeStore& volumes,
                      const Namespace::ContentMap& map,
                      std::uint64_t offset,
                      MutableBytes out) {
    const auto copy = [&](const Extent& e, std::size_t i, std::uint64_t at, MutableBytes part) {
        if (e.kind == ExtentKind::stripe) {
            return volumes.try_read(e, at, part) ? Status() : Status::unavailable("not in memory");
        }
        std::memcpy(part.data(), map.inlines[i]->data() + e.payload_offset + at, part.size());
        return Status();
    };
    return walk_content(map, offset, out, copy).ok();
}

ObjectReader::ObjectReader(Deps deps, Namespace::ContentMap map, std::uint64_t window_to)
    : names_(deps.names),
      volumes_(deps.volumes),
      pin_(std::move(deps.pin)),
      map_(std::move(map)),
      window_to_(window_to),
      held_(deps.held) {}

ObjectReader::~ObjectReader() {
    if (held_) names_.release(map_.inode->id);
}

Status ObjectReader::read(std::uint64_t offset, MutableBytes out) {
    ASSERT(offset + out.size() <= size());
    while (!out.empty()) {
        if (offset < window_from_ || offset >= window_to_) TRY(load_window(offset));
        const auto count =
            static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), window_to_ - offset));
        TRY(read_content(volumes_, map_, offset, out.first(count)));
        offset += count;
        out = out.subspan(count);
    }
    return {};
}

bool ObjectReader::try_read(std::uint64_t offset, MutableBytes out) {
    ASSERT(offset + out.size() <= size());
    if (offset < window_from_ || offset + out.size() > window_to_) return false;
    return try_read_content(volumes_, map_, offset, out);
}

Status ObjectReader::load_window(std::uint64_t offset) {
    const std::uint64_t from = offset / kWindowBytes * kWindowBytes;
    TRY_ASSIGN(auto map, names_.content(map_.inode->id, from, from + kWindowBytes));
    if (map.inode->generation != map_.inode->generation) {
        return Status::conflict("the file was changed while it was read");
    }
    map_ = std::move(map);
    window_from_ = from;
    window_to_ = from + kWindowBytes;
    return {};
}

std::uint64_t ObjectReader::first_window_bytes(const Inode& inode) {
    return inode.extents_in_table ? kWindowBytes : UINT64_MAX;
}

}  // namespace objstore
