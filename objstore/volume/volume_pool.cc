#include "objstore/volume/volume_pool.h"

#include <algorithm>

#include <fmt/format.h>
#include <spdlog/logger.h>

namespace objstore {

VolumePool::VolumePool(VolumeMaker::Options options,
                       const VolumeMaker::Deps& maker,
                       int stream_volumes_max,
                       const Deps& deps)
    : maker_(
          options, maker, [this](const std::shared_ptr<OpenVolume>& volume) { drained(volume); }),
      deps_(deps),
      slots_(1 + static_cast<std::size_t>(std::max(stream_volumes_max, 1))) {}

std::size_t VolumePool::enter_stream() {
    const std::lock_guard lock(mutex_);
    const auto least =
        std::min_element(slots_.begin() + 1, slots_.end(), [](const Slot& a, const Slot& b) {
            return a.streams < b.streams;
        });
    ++least->streams;
    return static_cast<std::size_t>(least - slots_.begin());
}

void VolumePool::leave_stream(std::size_t slot) {
    const std::lock_guard lock(mutex_);
    ASSERT(slots_.at(slot).streams > 0);
    --slots_.at(slot).streams;
}

bool VolumePool::fits(Slot& slot) const {
    if (slot.volume->retired()) return false;
    const std::uint64_t epoch = deps_.disks.epoch();
    if (slot.epoch == epoch) return true;
    const auto wanted = maker_.wanted_geometry();
    if (!slot.volume->disks_writable() || !wanted.ok()) return false;
    if (*wanted != slot.volume->geometry()) return false;
    slot.epoch = epoch;
    return true;
}

void VolumePool::expel(std::shared_ptr<OpenVolume> volume) {
    if (volume == nullptr) return;
    std::erase_if(leaving_, [](const auto& v) { return v.expired(); });
    leaving_.push_back(volume);
    expelled_.push_back(std::move(volume));
}

void VolumePool::retire_expelled() {
    std::vector<std::shared_ptr<OpenVolume>> expelled;
    {
        const std::lock_guard lock(mutex_);
        expelled.swap(expelled_);
    }
    for (const auto& volume : expelled) volume->retire();
}

// `taken`: the volume that was made ahead is used up.
Result<std::shared_ptr<OpenVolume>> VolumePool::find_or_make(Slot& slot, bool& taken) {
    std::unique_lock lock(mutex_);
    while (true) {
        if (stopped_) return Status::unavailable("storage is stopping");
        if (slot.volume != nullptr && !fits(slot)) expel(std::move(slot.volume));
        if (slot.volume != nullptr) return slot.volume;
        if (slot.opening) {
            changed_.wait(lock);
            continue;
        }
        taken = true;
        slot.epoch = 0;
        if (ahead_ != nullptr) {
            slot.volume = std::move(ahead_);
            continue;
        }
        slot.opening = true;
        lock.unlock();
        auto made = maker_.make();
        lock.lock();
        slot.opening = false;
        changed_.notify_all();
        if (!made.ok()) return std::move(made).error();
        slot.volume = std::move(made).value();
    }
}

Result<std::shared_ptr<OpenVolume>> VolumePool::take(std::size_t index) {
    if (deps_.disks.trial_due()) {
        deps_.background.run([this] { deps_.disks.try_again(); });
    }
    bool taken = false;
    auto volume = find_or_make(slots_.at(index), taken);
    if (taken) {
        retire_expelled();
        if (volume.ok()) begin_ahead();
    }
    return volume;
}

void VolumePool::begin_ahead() {
    {
        const std::lock_guard lock(mutex_);
        if (stopped_ || making_ahead_ || ahead_ != nullptr) return;
        making_ahead_ = true;
    }
    deps_.background.run([this] { make_ahead(); });
}

void VolumePool::make_ahead() {
    const bool stopped = [&] {
        const std::lock_guard lock(mutex_);
        return stopped_;
    }();
    // An error is left to whoever needs the next volume and makes it himself.
    auto made = stopped ? Status::unavailable("storage is stopping") : maker_.make();
    {
        const std::lock_guard lock(mutex_);
        making_ahead_ = false;
        if (made.ok()) ahead_ = std::move(made).value();
    }
    changed_.notify_all();
}

void VolumePool::drained(const std::shared_ptr<OpenVolume>& volume) {
    deps_.background.run([this, volume] {
        const Status status = volume->seal();
        if (status.ok()) return;
        deps_.log.warn(
            "event=not_sealed volume={:016x} error=\"{}\"", volume->id(), status.message());
    });
}

void VolumePool::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopped_ = true;
    }
    // What is made ahead comes to its end, wherever its job waits.
    deps_.background.wait_all();
    std::vector<std::weak_ptr<OpenVolume>> leaving;
    {
        std::unique_lock lock(mutex_);
        changed_.wait(
            lock, [&] { return !making_ahead_ && std::ranges::none_of(slots_, &Slot::opening); });
        for (Slot& slot : slots_) expel(std::move(slot.volume));
        expel(std::move(ahead_));
        leaving.swap(leaving_);
    }
    retire_expelled();
    deps_.background.wait_all();
    for (const auto& weak : leaving) {
        if (const auto volume = weak.lock(); volume != nullptr) volume->wait_sealed();
    }
}

}  // namespace objstore
