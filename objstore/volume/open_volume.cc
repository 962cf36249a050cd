#include "objstore/volume/open_volume.h"

#include <algorithm>

#include <fmt/format.h>

namespace objstore {

OpenVolume::OpenVolume(Volume& volume,
                       std::vector<std::unique_ptr<File>> files,
                       Limits limits,
                       const Deps& deps)
    : volume_(volume), limits_(limits), deps_(deps) {
    ASSERT(static_cast<int>(files.size()) == geometry().shards());
    for (int i = 0; i < geometry().shards(); ++i) {
        auto& file = files[static_cast<std::size_t>(i)];
        shards_.push_back(
            std::make_unique<ShardFile>(std::move(file), deps_.disks, volume_.disk_of(i)));
    }
}

// Runs fn for each shard at once and returns the worst: an error of a disk rather than no_space,
// so that a full disk never hides a failed one.
Status OpenVolume::for_each_shard(const std::function<Status(int)>& fn) {
    std::array<Status, kShardsMax> statuses;
    deps_.executor.for_each(shards_.size(),
                            [&](std::size_t i) { statuses.at(i) = fn(static_cast<int>(i)); });
    Status worst;
    for (Status& status : statuses) {
        if (status.ok()) continue;
        if (worst.ok() || worst.code() == Code::no_space) worst = std::move(status);
    }
    return worst.ok() ? Status()
                      : std::move(worst).with_context(fmt::format("volume {:016x}", id()));
}

// ---- room

Result<std::uint64_t> OpenVolume::begin(std::uint64_t bytes, std::size_t stripe_count) {
    auto place = state_.with([&](State& s) -> Result<std::uint64_t> {
        // What is larger than a whole volume goes into one of its own.
        const bool full = s.end > kSuperblockBytes && s.end + bytes > limits_.shard_bytes_max;
        if (s.retired || full || s.index.size() + stripe_count > kStripesMax) {
            return Status::conflict("the volume is retired");
        }
        ++s.writers;
        const std::uint64_t at = s.end;
        s.end += bytes;
        return at;
    });
    if (!place.ok()) retire();
    return place;
}

void OpenVolume::end(std::span<const NewStripe> written) {
    const bool drained = state_.with([&](State& s) {
        for (const NewStripe& stripe : written) {
            s.index.push_back(stripe.entry());
            s.payload_bytes += stripe.layout.payload_bytes;
        }
        --s.writers;
        if (!s.retired || s.writers > 0 || s.drained) return false;
        s.drained = true;
        return true;
    });
    if (drained) deps_.drained(shared_from_this());
}

void OpenVolume::retire() {
    retired_ = true;
    const bool drained = state_.with([&](State& s) {
        s.retired = true;
        if (s.writers > 0 || s.drained) return false;
        s.drained = true;
        return true;
    });
    if (drained) deps_.drained(shared_from_this());
}

bool OpenVolume::disks_writable() const {
    return std::ranges::all_of(shards_,
                               [&](const auto& s) { return deps_.disks.writable(s->disk()); });
}

// Before anything is written, so that a full disk costs no half-written stripe.
Status OpenVolume::grow(std::uint64_t end) {
    if (end <= reserved_.load(std::memory_order_acquire)) return {};
    const std::lock_guard lock(grow_mutex_);
    if (end <= reserved_end_) return {};
    const std::uint64_t from = reserved_end_;
    const std::uint64_t to = std::max(end, from + limits_.allocate_bytes);
    std::array<std::uint64_t, kShardsMax> ends{};
    TRY(for_each_shard([&](int i) -> Status {
        const auto shard = static_cast<std::size_t>(i);
        TRY_ASSIGN(ends.at(shard), shards_[shard]->allocate(from, to, end));
        return {};
    }));
    reserved_end_ = *std::min_element(ends.begin(), ends.begin() + std::ssize(shards_));
    reserved_.store(reserved_end_, std::memory_order_release);
    return {};
}

Status OpenVolume::allocate_first() {
    return grow(kSuperblockBytes + 2 * kBlockBytes);
}

// ---- writing

Status OpenVolume::write_shard(int shard, std::span<const NewStripe> stripes, Sync sync) {
    std::vector<Bytes> pieces;
    pieces.reserve(2 * stripes.size());
    std::uint64_t bytes = 0;
    for (const NewStripe& stripe : stripes) {
        stripe.build_header(id(), geometry(), shard);
        pieces.emplace_back(stripe.header(shard));
        pieces.emplace_back(stripe.column(shard, geometry()));
        bytes += stripe.layout.bytes();
    }
    ShardFile& file = *shards_[static_cast<std::size_t>(shard)];
    TRY(file.write(stripes.front().place, pieces));
    if (sync == Sync::yes) return file.sync();
    file.start_write_out(stripes.front().place, bytes);
    return {};
}

Status OpenVolume::append(std::span<NewStripe> stripes, Sync sync) {
    ASSERT(!stripes.empty());
    std::uint64_t bytes = 0;
    for (NewStripe& stripe : stripes) {
        bytes += stripe.layout.bytes();
        TRY_ASSIGN(stripe.sequence, deps_.order.next());
    }
    TRY_ASSIGN(std::uint64_t at, begin(bytes, stripes.size()));
    const std::uint64_t stripes_end = at + bytes;
    for (NewStripe& stripe : stripes) {
        stripe.place = at;
        at += stripe.layout.bytes();
    }
    Status status = grow(stripes_end);
    if (status.ok()) {
        status = for_each_shard([&](int shard) { return write_shard(shard, stripes, sync); });
    }
    if (!status.ok()) retire();
    end(status.ok() ? stripes : std::span<NewStripe>());
    return status;
}

Status OpenVolume::sync() {
    Status status =
        for_each_shard([&](int shard) { return shards_[static_cast<std::size_t>(shard)]->sync(); });
    if (!status.ok()) retire();
    return status;
}

void OpenVolume::drop_cache(std::uint64_t place, std::uint64_t length) {
    for (const auto& shard : shards_) shard->drop_cache(place, length);
}

// ---- sealing

Status OpenVolume::seal_shard(int shard, std::uint64_t length, std::span<const FooterEntry> index) {
    ShardFile& file = *shards_[static_cast<std::size_t>(shard)];
    if (file.failed()) return Status::io_error("the shard file failed before");
    return write_footer(file, {.volume = id(), .shard = shard, .length = length}, index);
}

Status OpenVolume::seal_all() {
    std::uint64_t length = 0;
    std::uint64_t payload_bytes = 0;
    auto index = state_.with([&](State& s) {
        ASSERT(s.drained && s.writers == 0);
        length = s.end;
        payload_bytes = s.payload_bytes;
        return std::move(s.index);
    });
    std::ranges::sort(index, {}, &FooterEntry::place);
    const Status status =
        for_each_shard([&](int shard) { return seal_shard(shard, length, index); });
    // A volume that not all of its disks know as sealed stays open, for the next start to finish.
    TRY(status);
    return deps_.catalog.seal_volume(id(), length, payload_bytes);
}

Status OpenVolume::seal() {
    Status status = seal_all();
    {
        const std::lock_guard lock(sealed_mutex_);
        is_sealed_ = true;
    }
    sealed_.notify_all();
    return status;
}

void OpenVolume::wait_sealed() {
    std::unique_lock lock(sealed_mutex_);
    sealed_.wait(lock, [&] { return is_sealed_; });
}

}  // namespace objstore
