#include "objstore/volume/stream_writer.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

namespace objstore {

namespace {

// Padding of the last columns of a stripe.
constexpr std::size_t kPaddingBytes = kShardsMax * kBlockBytes;
// What a stream makes do with when memory is short.
constexpr std::size_t kLeanBytes = 128 * kKiB;
// Behind streams this large the page cache is emptied: they would push out all else.
constexpr std::uint64_t kDropCacheBytes = 64 * kMiB;

}  // namespace

Status VolumeStream::write(Bytes bytes) {
    while (!bytes.empty()) {
        TRY_ASSIGN(const MutableBytes room, space());
        const std::size_t size = std::min(room.size(), bytes.size());
        std::ranges::copy(bytes.first(size), room.begin());
        TRY(advance(size));
        bytes = bytes.subspan(size);
    }
    return {};
}

StreamWriter::StreamWriter(Options options, const Deps& deps, Owner owner, std::uint64_t size_hint)
    : options_(options),
      deps_(deps),
      owner_(owner),
      size_hint_(size_hint),
      slot_(deps_.pool.enter_stream()) {}

StreamWriter::~StreamWriter() {
    write_job_.wait();
    sync_job_.wait();
    release();
    deps_.pool.leave_stream(slot_);
}

// ---- memory

// What a stripe takes beside its payload, in the widest case.
std::size_t StreamWriter::side_bytes(std::size_t payload) const {
    const auto most =
        static_cast<std::uint32_t>(std::min(payload, options_.geometry.data * kColumnBytesMax));
    return NewStripe::side_bytes(stripe_layout(most, 1, options_.geometry), options_.geometry);
}

void StreamWriter::release() {
    for (Lane& lane : lanes_) {
        deps_.buffers.give(std::move(lane.memory));
        lane = {};
    }
    deps_.buffers.give(std::move(outgrown_));
    outgrown_ = {};
    deps_.budget.give(std::exchange(budget_bytes_, 0));
}

Status StreamWriter::reserve_lanes(std::size_t lanes, std::size_t capacity, bool wait) {
    const std::size_t bytes = lanes * (capacity + kPaddingBytes) + side_bytes(capacity);
    if (wait) {
        TRY(deps_.budget.take(bytes));
    } else if (!deps_.budget.try_take(bytes)) {
        return Status::unavailable("memory is short", Why::busy);
    }
    budget_bytes_ = bytes;
    for (std::size_t i = 0; i < lanes; ++i) {
        lanes_.at(i) = {deps_.buffers.take(capacity + kPaddingBytes), capacity, 0};
    }
    lane_ = 0;
    return {};
}

// A stream that is known to fit one stripe gets one lane of its size. Others get two, all at once:
// so nobody who holds memory waits for more, and what slow clients hold never stops the others,
// who in the worst case go on with small stripes.
Status StreamWriter::reserve() {
    const std::size_t full = options_.geometry.data * kColumnBytesMax;
    if (size_ == 0 && size_hint_ > 0 && size_hint_ <= full) {
        if (reserve_lanes(1, size_hint_, false).ok()) return {};
    } else if (reserve_lanes(2, full, false).ok()) {
        return {};
    }
    return reserve_lanes(2, kLeanBytes, true);
}

Result<MutableBytes> StreamWriter::space() {
    ASSERT(!finished_);
    TRY(status_);
    Lane* lane = &lanes_.at(lane_);
    if (lane->capacity == 0) {
        // The first call, or a stream longer than its hint said. Then what it holds is given back
        // before it waits; the bytes stay readable as promised.
        if (lanes_[0].capacity > 0) {
            if (status_ = collect_write(); !status_.ok()) return status_;
            outgrown_ = std::move(lanes_[0].memory);
            lanes_[0] = {};
            deps_.budget.give(std::exchange(budget_bytes_, 0));
        }
        if (status_ = reserve(); !status_.ok()) return status_;
        lane = &lanes_.at(lane_);
    }
    if (lane->used == lane->capacity) lane->used = 0;
    return lane->memory.span().first(lane->capacity).subspan(lane->used);
}

Status StreamWriter::advance(std::size_t size) {
    TRY(status_);
    if (size == 0) return {};
    Lane& lane = lanes_.at(lane_);
    ASSERT(size <= lane.capacity - lane.used);
    lane.used += size;
    if (lane.used < lane.capacity) return {};
    if (status_ = collect_write(); !status_.ok()) return status_;
    if (unsynced_bytes_ >= options_.sync_bytes) {
        if (status_ = start_sync(); !status_.ok()) return status_;
    }
    submit();
    lane_ = 1 - lane_;
    return {};
}

// ---- jobs

// Hands the full lane to the executor.
void StreamWriter::submit() {
    Lane& lane = lanes_.at(lane_);
    const Run run{lane.memory.data(), lane.used, owner_.logical_offset + size_};
    size_ += run.size;
    unsynced_bytes_ += run.size;
    write_job_ = Deferred(deps_.executor, [this, run] {
        write_status_ = place(run, OpenVolume::Sync::no, written_);
    });
}

Status StreamWriter::collect_write() {
    write_job_.wait();
    return write_status_;
}

Status StreamWriter::collect_sync() {
    sync_job_.wait();
    TRY(sync_status_);
    for (const Placed& p : syncing_) extents_.push_back(p.extent);
    syncing_.clear();
    return {};
}

// What has been written so far is synced while more arrives. One such job at a time bounds what is
// not durable.
Status StreamWriter::start_sync() {
    TRY(collect_sync());
    syncing_ = std::exchange(written_, {});
    unsynced_bytes_ = 0;
    sync_job_ = Deferred(deps_.executor, [this, drop = size_ > kDropCacheBytes] {
        std::vector<Placed> stripes = drop ? syncing_ : std::vector<Placed>();
        sync_status_ = sync_all(syncing_);
        for (const Placed& p : stripes) {
            p.volume->drop_cache(p.extent.place,
                                 std::uint64_t{p.extent.header_bytes} + p.extent.column_bytes);
        }
    });
    return {};
}

Result<std::vector<Extent>> StreamWriter::finish() {
    ASSERT(!finished_);
    finished_ = true;
    TRY(status_);
    TRY(collect_write());
    TRY(collect_sync());
    Lane& lane = lanes_.at(lane_);
    if (lane.capacity > 0 && lane.used > 0 && lane.used < lane.capacity) {
        const Run run{lane.memory.data(), lane.used, owner_.logical_offset + size_};
        size_ += run.size;
        // One round of writes and syncs; the syncs cover the stripes before it.
        TRY(place(run, OpenVolume::Sync::yes, written_));
    }
    TRY(sync_all(written_));
    for (const Placed& p : written_) extents_.push_back(p.extent);
    written_.clear();
    release();
    return std::move(extents_);
}

// ---- stripes

Result<Extent> StreamWriter::place_stripe(OpenVolume& volume,
                                          const Run& run,
                                          OpenVolume::Sync sync,
                                          Buffer& side) {
    const Geometry geometry = volume.geometry();
    const std::size_t size = std::min(run.size, geometry.data * kColumnBytesMax);
    NewStripe stripe;
    stripe.layout = stripe_layout(static_cast<std::uint32_t>(size), 1, geometry);
    stripe.nonce = static_cast<std::uint32_t>(deps_.random.next());
    stripe.payload = run.bytes;
    stripe.owners = {{.inode = owner_.inode,
                      .generation = owner_.generation,
                      .offset = owner_offset(owner_, run.logical_offset),
                      .payload_offset = 0,
                      .length = static_cast<std::uint32_t>(size)}};
    const std::size_t side_needed = NewStripe::side_bytes(stripe.layout, geometry);
    if (side.size() < side_needed) side = deps_.buffers.take(side_needed);
    stripe.use_side(side.data(), geometry);
    stripe.encode(volume.volume().codec());
    TRY(volume.append({&stripe, 1}, sync));
    return stripe.extent(volume.id(), stripe.owners.front());
}

// Cuts the run into the stripes that the volumes at hand take: more than one when they are narrower
// than usual.
Status StreamWriter::place(const Run& run, OpenVolume::Sync sync, std::vector<Placed>& placed) {
    Buffer side;
    Attempts attempts(deps_.disks);
    Run rest = run;
    while (rest.size > 0) {
        TRY_ASSIGN(auto volume, deps_.pool.for_stream(slot_));
        const auto extent = place_stripe(*volume, rest, sync, side);
        if (!extent.ok()) {
            if (!attempts.again(extent.error())) return extent.error();
            continue;
        }
        if (sync == OpenVolume::Sync::yes) {
            // Also of what was written to this volume before.
            for (Placed& p : placed) {
                if (p.volume == volume) p.volume = nullptr;
            }
            volume = nullptr;
        }
        placed.push_back({std::move(volume), *extent});
        rest.bytes += extent->length;
        rest.size -= extent->length;
        rest.logical_offset += extent->length;
    }
    deps_.buffers.give(std::move(side));
    return {};
}

Status StreamWriter::sync_all(std::vector<Placed>& all) {
    while (true) {
        const auto next =
            std::ranges::find_if(all, [](const Placed& p) { return p.volume != nullptr; });
        if (next == all.end()) return {};
        const auto volume = next->volume;
        if (!volume->sync().ok()) TRY(rescue(all, volume.get()));
        for (Placed& p : all) {
            if (p.volume == volume) p.volume = nullptr;
        }
    }
}

// A sync failed: what the volume holds of this stream is read back, checked and rebuilt as any
// read, and goes to other volumes, synced. It stays where it was as garbage.
Status StreamWriter::rescue(std::vector<Placed>& all, const OpenVolume* lost) {
    std::vector<Placed> saved;
    for (Placed& p : all) {
        if (p.volume.get() != lost) {
            saved.push_back(std::move(p));
            continue;
        }
        Buffer payload = deps_.buffers.take(p.extent.length + kPaddingBytes);
        TRY(deps_.reader.read(p.extent, 0, payload.span().first(p.extent.length)));
        const Run run{payload.data(), p.extent.length, p.extent.logical_offset};
        TRY(place(run, OpenVolume::Sync::yes, saved));
        deps_.buffers.give(std::move(payload));
    }
    all = std::move(saved);
    return {};
}

}  // namespace objstore
