#include "objstore/meta/byte_ranges.h"

#include <algorithm>

namespace objstore {

std::vector<ByteRange> merged(std::vector<ByteRange> ranges) {
    std::sort(ranges.begin(), ranges.end(), [](const ByteRange& a, const ByteRange& b) {
        return a.from < b.from;
    });
    std::vector<ByteRange> found;
    for (const ByteRange& r : ranges) {
        if (!found.empty() && r.from <= found.back().to) {
            found.back().to = std::max(found.back().to, r.to);
        } else {
            found.push_back(r);
        }
    }
    return found;
}

std::uint64_t uncovered_bytes(const std::vector<ByteRange>& ranges,
                              const std::vector<ByteRange>& covers) {
    std::uint64_t bytes = 0;
    auto cover = covers.begin();
    for (const ByteRange& r : ranges) {
        bytes += r.to - r.from;
        while (cover != covers.end() && cover->to <= r.from) ++cover;
        for (auto c = cover; c != covers.end() && c->from < r.to; ++c) {
            bytes -= std::min(r.to, c->to) - std::max(r.from, c->from);
        }
    }
    return bytes;
}

}  // namespace objstore
