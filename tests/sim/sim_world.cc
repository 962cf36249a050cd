#include "tests/sim/sim_disk.h"

namespace tests {

SimWorld::SimWorld(std::uint64_t seed) : random_(seed) {}

SimWorld::~SimWorld() = default;

SimDisk& SimWorld::add_disk(std::string name) {
    const std::lock_guard lock(mutex_);
    disks_.push_back(std::make_unique<SimDisk>(*this, std::move(name)));
    return *disks_.back();
}

SimDisk& SimWorld::disk(std::size_t index) {
    const std::lock_guard lock(mutex_);
    return *disks_.at(index);
}

std::size_t SimWorld::disk_count() const {
    const std::lock_guard lock(mutex_);
    return disks_.size();
}

void SimWorld::cut_power_after(std::uint64_t operations) {
    const std::lock_guard lock(mutex_);
    cut_after_ = operations;
    cut_came_ = false;
}

void SimWorld::cut_power() {
    const std::lock_guard lock(mutex_);
    cut_after_.reset();
    cut_came_ = true;
    powered_ = false;
}

bool SimWorld::power_was_cut() const {
    const std::lock_guard lock(mutex_);
    return cut_came_;
}

void SimWorld::power_cycle() {
    const std::lock_guard lock(mutex_);
    cut_after_.reset();
    for (const auto& disk : disks_) disk->cut();
    powered_ = true;
}

std::uint64_t SimWorld::operation_count() const {
    const std::lock_guard lock(mutex_);
    return operations_;
}

}  // namespace tests
