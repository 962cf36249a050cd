#include "tests/sim/sim_inode.h"

#include <algorithm>

namespace tests {

namespace {

// How much of the unsynced state of one file survives a cut. The extremes are where bugs hide, so
// they come often; in between each sector is on its own.
unsigned survival_percent(SimRandom& random) {
    static constexpr std::array<unsigned, 6> kPercents = {0, 0, 25, 50, 75, 100};
    return kPercents.at(random.below(kPercents.size()));
}

// Which of `count` unsynced versions survives, or none (count).
std::size_t surviving(std::size_t count, unsigned percent, SimRandom& random) {
    if (percent == 100) return count - 1;
    return random.percent(percent) ? random.below(count) : count;
}

}  // namespace

SimContents::Sector SimContents::image(std::uint64_t sector) const {
    Sector image{};
    const std::uint64_t from = sector * kSectorBytes;
    if (from >= now_.size()) return image;
    const std::size_t length = std::min<std::size_t>(kSectorBytes, now_.size() - from);
    std::copy_n(now_.data() + from, length, image.data());
    return image;
}

void SimContents::record(std::uint64_t from, std::uint64_t to) {
    if (from >= to) return;
    for (std::uint64_t sector = from / kSectorBytes; sector * kSectorBytes < to; ++sector) {
        versions_[sector].push_back(image(sector));
    }
}

void SimContents::write(std::uint64_t offset, objstore::Bytes bytes) {
    if (bytes.empty()) return;
    const std::uint64_t end = offset + bytes.size();
    if (end > now_.size()) {
        now_.resize(end);
        sizes_.push_back(end);
    }
    std::copy(bytes.begin(), bytes.end(), now_.data() + offset);
    record(offset, end);
    const std::uint64_t first_whole = (offset + kSectorBytes - 1) / kSectorBytes;
    const std::uint64_t end_whole = end / kSectorBytes;
    if (first_whole < end_whole) {
        lost_.erase(lost_.lower_bound(first_whole), lost_.lower_bound(end_whole));
    }
}

void SimContents::truncate(std::uint64_t size_bytes) {
    const std::uint64_t before = now_.size();
    if (size_bytes == before) return;
    now_.resize(size_bytes);
    sizes_.push_back(size_bytes);
    record(size_bytes, before);
}

void SimContents::zero(std::uint64_t offset, std::uint64_t length) {
    if (offset >= now_.size()) return;
    const std::uint64_t end = offset + std::min<std::uint64_t>(length, now_.size() - offset);
    std::fill(now_.data() + offset, now_.data() + end, std::byte{0});
    record(offset, end);
}

void SimContents::make_durable(std::uint64_t sector, const Sector& image) {
    const std::uint64_t from = sector * kSectorBytes;
    if (from >= durable_.size()) return;
    const std::size_t length = std::min<std::size_t>(kSectorBytes, durable_.size() - from);
    std::copy_n(image.data(), length, durable_.data() + from);
}

void SimContents::sync() {
    if (!sizes_.empty()) durable_.resize(sizes_.back());
    for (const auto& [sector, images] : versions_) make_durable(sector, images.back());
    versions_.clear();
    sizes_.clear();
}

void SimContents::fail_sync(SimRandom& random) {
    const unsigned percent = survival_percent(random);
    for (const auto& [sector, images] : versions_) {
        if (random.percent(percent)) make_durable(sector, images.back());
    }
    versions_.clear();
}

void SimContents::cut(SimRandom& random) {
    const unsigned percent = survival_percent(random);
    if (!sizes_.empty()) {
        // On its own: the size may be new where no sector is, and the other way round.
        const std::size_t chosen = surviving(sizes_.size(), survival_percent(random), random);
        if (chosen < sizes_.size()) durable_.resize(sizes_[chosen]);
    }
    for (const auto& [sector, images] : versions_) {
        const std::size_t chosen = surviving(images.size(), percent, random);
        if (chosen < images.size()) make_durable(sector, images[chosen]);
    }
    versions_.clear();
    sizes_.clear();
    now_ = durable_;
}

void SimContents::damage(std::uint64_t offset, objstore::Bytes bytes) {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const std::uint64_t at = offset + i;
        if (at < now_.size()) now_[at] = bytes[i];
        if (at < durable_.size()) durable_[at] = bytes[i];
        const auto found = versions_.find(at / kSectorBytes);
        if (found == versions_.end()) continue;
        for (Sector& image : found->second) image.at(at % kSectorBytes) = bytes[i];
    }
}

void SimContents::lose(std::uint64_t offset, std::uint64_t length) {
    for (std::uint64_t at = offset; at < offset + length; at += kSectorBytes) {
        lost_.insert(at / kSectorBytes);
    }
}

bool SimContents::is_lost(std::uint64_t offset, std::uint64_t length) const {
    const auto found = lost_.lower_bound(offset / kSectorBytes);
    return length > 0 && found != lost_.end() && *found * kSectorBytes < offset + length;
}

}  // namespace tests
