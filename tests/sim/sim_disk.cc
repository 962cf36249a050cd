#include "tests/sim/sim_disk.h"

#include <algorithm>

#include <fmt/format.h>

#include "objstore/disk/path.h"
#include "tests/sim/sim_file.h"

namespace tests {

using objstore::Bytes;
using objstore::File;
using objstore::OpenMode;
using objstore::Result;
using objstore::Status;
using objstore::Why;

namespace {

std::shared_ptr<SimInode> make_inode(bool is_directory) {
    auto inode = std::make_shared<SimInode>();
    inode->is_directory = is_directory;
    return inode;
}

// Whether `path` is `directory` or lies below it.
bool lies_in(std::string_view path, std::string_view directory) {
    if (!path.starts_with(directory)) return false;
    return path.size() == directory.size() || path[directory.size()] == '/';
}

}  // namespace

SimDisk::SimDisk(SimWorld& world, std::string name)
    : world_(world), name_(std::move(name)), root_(make_inode(true)) {}

Status SimDisk::check_power(std::string_view path) const {
    if (!world_.powered_) return Status::io_error(label(path) + ": power is off");
    if (dead_) return Status::io_error(label(path) + ": the disk is dead");
    return {};
}

bool SimDisk::take_fault(SimOperation operation, std::string_view path, SimFailure& failure) {
    bool taken = false;
    for (SimFault& fault : faults_) {
        if (fault.operation != operation) continue;
        if (path.find(fault.path) == std::string_view::npos) continue;
        if (fault.after > 0) {
            --fault.after;
        } else if (fault.times > 0 && !taken) {
            if (fault.times != SimFault::kAlways) --fault.times;
            failure = fault.failure;
            taken = true;
        }
    }
    return taken;
}

SimDisk::Verdict SimDisk::begin(SimOperation operation, std::string_view path) {
    if (Status power = check_power(path); !power.ok()) return {std::move(power), false};
    ++counts_.at(static_cast<std::size_t>(operation));
    if (operation != SimOperation::read) {
        ++world_.operations_;
        if (world_.cut_after_.has_value() && (*world_.cut_after_)-- == 0) {
            // Done as far as the cache goes; the cut decides what of it is left.
            world_.cut_after_.reset();
            world_.cut_came_ = true;
            world_.powered_ = false;
            return {Status::io_error(label(path) + ": power is off"), true};
        }
    }
    Verdict verdict;
    if (!take_fault(operation, path, verdict.failure)) return verdict;
    verdict.apply = verdict.failure == SimFailure::short_write;
    switch (verdict.failure) {
        case SimFailure::io_error:
        case SimFailure::short_write:
            verdict.status = Status::io_error(label(path) + ": Input/output error");
            break;
        case SimFailure::no_space:
            verdict.status = Status::no_space(label(path) + ": No space left on device");
            break;
        case SimFailure::swallowed:
            break;
    }
    return verdict;
}

std::shared_ptr<SimInode> SimDisk::find(std::string_view path) const {
    std::shared_ptr<SimInode> inode = root_;
    while (!path.empty()) {
        const std::size_t slash = std::min(path.find('/'), path.size());
        const auto found = inode->entries.find(path.substr(0, slash));
        if (found == inode->entries.end()) return nullptr;
        inode = found->second;
        path.remove_prefix(std::min(slash + 1, path.size()));
    }
    return inode;
}

Result<SimDisk::Place> SimDisk::place_of(std::string_view path) const {
    TRY(objstore::check_disk_path(path));
    const auto [parent, entry] = objstore::split_disk_path(path);
    auto directory = find(parent);
    if (directory == nullptr || !directory->is_directory) {
        return Status::not_found(label(path) + ": its directory does not exist");
    }
    return Place{std::move(directory), std::string(entry)};
}

void SimDisk::change_names(NameChange change) {
    if (change.from) change.from->directory->entries.erase(change.from->name);
    if (change.to) change.to->directory->entries[change.to->name] = change.inode;
    changes_.push_back(std::move(change));
}

Result<std::unique_ptr<File>> SimDisk::open(std::string_view path, OpenMode mode) {
    const std::lock_guard lock(world_.mutex_);
    TRY(check_power(path));
    TRY_ASSIGN(Place place, place_of(path));
    auto inode = find(path);
    if (inode != nullptr && mode == OpenMode::create_new) {
        return Status::already_exists(label(path) + ": exists");
    }
    if (inode != nullptr && inode->is_directory) {
        return Status::io_error(label(path) + ": Is a directory");
    }
    if (inode == nullptr) {
        if (mode == OpenMode::read || mode == OpenMode::write) {
            return Status::not_found(label(path) + ": No such file or directory");
        }
        auto verdict = begin(SimOperation::create, path);
        inode = make_inode(false);
        if (verdict.apply) change_names({std::nullopt, std::move(place), inode});
        TRY(verdict.status);
    }
    return std::unique_ptr<File>(
        std::make_unique<SimFile>(*this, std::string(path), std::move(inode)));
}

Status SimDisk::make_dir(std::string_view path) {
    const std::lock_guard lock(world_.mutex_);
    TRY(check_power(path));
    TRY_ASSIGN(Place place, place_of(path));
    if (const auto inode = find(path)) {
        if (inode->is_directory) return {};
        return Status::already_exists(label(path) + ": is a file");
    }
    auto verdict = begin(SimOperation::create, path);
    if (verdict.apply) change_names({std::nullopt, std::move(place), make_inode(true)});
    return std::move(verdict.status);
}

void SimDisk::make_names_durable(const std::shared_ptr<SimInode>& directory) {
    // From the newest change back: one of this directory, or one that a change already chosen
    // builds on, becomes durable.
    std::vector<const NameChange*> chosen;
    std::vector<Place> touched;
    const auto builds_on = [&](const std::optional<Place>& place) {
        return place && std::find(touched.begin(), touched.end(), *place) != touched.end();
    };
    for (auto change = changes_.rbegin(); change != changes_.rend(); ++change) {
        const auto& home = change->to ? change->to : change->from;
        const bool wanted =
            home->directory == directory || builds_on(change->from) || builds_on(change->to);
        if (!wanted) continue;
        chosen.push_back(&*change);
        if (change->from) touched.push_back(*change->from);
        if (change->to) touched.push_back(*change->to);
    }
    std::reverse(chosen.begin(), chosen.end());
    for (const NameChange* change : chosen) {
        if (change->from) change->from->directory->durable_entries.erase(change->from->name);
        if (change->to) change->to->directory->durable_entries[change->to->name] = change->inode;
    }
    std::erase_if(changes_, [&](const NameChange& change) {
        return std::find(chosen.begin(), chosen.end(), &change) != chosen.end();
    });
}

Status SimDisk::sync_dir(std::string_view path) {
    const std::lock_guard lock(world_.mutex_);
    TRY(check_power(path));
    const auto directory = find(path);
    if (directory == nullptr) return Status::not_found(label(path) + ": no such directory");
    if (!directory->is_directory) return Status::io_error(label(path) + ": Not a directory");
    auto verdict = begin(SimOperation::sync_dir, path);
    if (verdict.status.ok() && verdict.apply) make_names_durable(directory);
    return std::move(verdict.status);
}

Status SimDisk::rename(std::string_view from, std::string_view to) {
    const std::lock_guard lock(world_.mutex_);
    TRY(check_power(from));
    TRY_ASSIGN(Place source, place_of(from));
    TRY_ASSIGN(Place target, place_of(to));
    const auto inode = find(from);
    if (inode == nullptr) return Status::not_found(label(from) + ": No such file or directory");
    const auto replaced = find(to);
    if (replaced == inode) return {};
    if (inode->is_directory && lies_in(to, from)) {
        return Status::invalid_argument(label(from) + ": a directory can not move into itself");
    }
    if (replaced != nullptr && replaced->is_directory != inode->is_directory) {
        return Status::io_error(label(to) + ": a directory and a file");
    }
    if (replaced != nullptr && !replaced->entries.empty()) {
        return Status::conflict(label(to) + ": Directory not empty", Why::not_empty);
    }
    auto verdict = begin(SimOperation::rename, from);
    if (verdict.apply) change_names({std::move(source), std::move(target), inode});
    return std::move(verdict.status);
}

Status SimDisk::remove(std::string_view path) {
    const std::lock_guard lock(world_.mutex_);
    TRY(check_power(path));
    TRY_ASSIGN(Place place, place_of(path));
    const auto inode = find(path);
    if (inode == nullptr) return Status::not_found(label(path) + ": No such file or directory");
    if (!inode->entries.empty()) {
        return Status::conflict(label(path) + ": Directory not empty", Why::not_empty);
    }
    auto verdict = begin(SimOperation::remove, path);
    if (verdict.apply) change_names({std::move(place), std::nullopt, inode});
    return std::move(verdict.status);
}

Result<std::vector<std::string>> SimDisk::list(std::string_view path) {
    const std::lock_guard lock(world_.mutex_);
    TRY(check_power(path));
    const auto directory = find(path);
    if (directory == nullptr || !directory->is_directory) {
        return Status::not_found(label(path) + ": no such directory");
    }
    const auto verdict = begin(SimOperation::read, path);
    TRY(verdict.status);
    std::vector<std::string> names;
    for (const auto& [entry, inode] : directory->entries) {
        names.push_back(inode->is_directory ? entry + "/" : entry);
    }
    return names;
}

Result<objstore::DiskSpace> SimDisk::space() {
    const std::lock_guard lock(world_.mutex_);
    TRY(check_power(""));
    const std::uint64_t used = used_bytes();
    return objstore::DiskSpace{capacity_bytes_, capacity_bytes_ - std::min(capacity_bytes_, used)};
}

std::uint64_t SimDisk::used_bytes() const {
    std::uint64_t used = 0;
    std::vector<const SimInode*> to_visit = {root_.get()};
    while (!to_visit.empty()) {
        const SimInode* inode = to_visit.back();
        to_visit.pop_back();
        used += inode->contents.now().size();
        for (const auto& [entry, child] : inode->entries) to_visit.push_back(child.get());
    }
    return used;
}

Status SimDisk::check_room(std::uint64_t size_before, std::uint64_t size_after) const {
    if (capacity_bytes_ == kCapacityBytes || size_after <= size_before) return {};
    if (used_bytes() + (size_after - size_before) <= capacity_bytes_) return {};
    return Status::no_space(name_ + ": No space left on device");
}

void SimDisk::cut() {
    ++generation_;
    const unsigned percent = std::array<unsigned, 4>{0, 33, 67, 100}.at(world_.random_.below(4));
    std::vector<Place> lost;
    const auto builds_on_lost = [&](const std::optional<Place>& place) {
        return place && std::find(lost.begin(), lost.end(), *place) != lost.end();
    };
    for (const NameChange& change : changes_) {
        const bool kept = world_.random_.percent(percent) && !builds_on_lost(change.from) &&
                          !builds_on_lost(change.to);
        if (!kept) {
            if (change.from) lost.push_back(*change.from);
            if (change.to) lost.push_back(*change.to);
            continue;
        }
        if (change.from) change.from->directory->durable_entries.erase(change.from->name);
        if (change.to) change.to->directory->durable_entries[change.to->name] = change.inode;
    }
    changes_.clear();
    std::vector<SimInode*> to_visit = {root_.get()};
    while (!to_visit.empty()) {
        SimInode* inode = to_visit.back();
        to_visit.pop_back();
        inode->contents.cut(world_.random_);
        inode->entries = inode->durable_entries;
        for (const auto& [entry, child] : inode->entries) to_visit.push_back(child.get());
    }
}

void SimDisk::fail(SimFault fault) {
    const std::lock_guard lock(world_.mutex_);
    faults_.push_back(std::move(fault));
}

void SimDisk::clear_faults() {
    const std::lock_guard lock(world_.mutex_);
    faults_.clear();
}

void SimDisk::set_dead(bool dead) {
    const std::lock_guard lock(world_.mutex_);
    dead_ = dead;
}

void SimDisk::replace() {
    const std::lock_guard lock(world_.mutex_);
    ++generation_;
    root_ = make_inode(true);
    changes_.clear();
}

void SimDisk::set_capacity(std::uint64_t bytes) {
    const std::lock_guard lock(world_.mutex_);
    capacity_bytes_ = bytes;
}

void SimDisk::corrupt(std::string_view path, std::uint64_t offset, std::uint64_t length) {
    const std::lock_guard lock(world_.mutex_);
    const auto inode = find(path);
    ASSERT(inode != nullptr);
    ASSERT(offset + length <= inode->contents.now().size());
    const auto* from = inode->contents.now().data() + offset;
    std::vector<std::byte> rotten(from, from + length);
    for (std::byte& byte : rotten) {
        byte ^= static_cast<std::byte>(1 + world_.random_.below(255));
    }
    inode->contents.damage(offset, rotten);
}

void SimDisk::lose(std::string_view path, std::uint64_t offset, std::uint64_t length) {
    ASSERT(offset % kSectorBytes == 0);
    ASSERT(length % kSectorBytes == 0);
    const std::lock_guard lock(world_.mutex_);
    const auto inode = find(path);
    ASSERT(inode != nullptr);
    inode->contents.lose(offset, length);
}

void SimDisk::misplace(std::string_view path, Move move) {
    const std::lock_guard lock(world_.mutex_);
    const auto inode = find(path);
    ASSERT(inode != nullptr);
    ASSERT(move.from + move.length <= inode->contents.now().size());
    const auto* from = inode->contents.now().data() + move.from;
    const std::vector<std::byte> bytes(from, from + move.length);
    inode->contents.damage(move.to, bytes);
}

std::uint64_t SimDisk::count(SimOperation operation) const {
    const std::lock_guard lock(world_.mutex_);
    return counts_.at(static_cast<std::size_t>(operation));
}

std::uint64_t SimDisk::bytes_written() const {
    const std::lock_guard lock(world_.mutex_);
    return bytes_written_;
}

std::optional<std::string> SimDisk::contents(std::string_view path) const {
    const std::lock_guard lock(world_.mutex_);
    const auto inode = find(path);
    if (inode == nullptr || inode->is_directory) return std::nullopt;
    return std::string(objstore::as_text(inode->contents.now()));
}

bool SimDisk::is_synced(std::string_view path) const {
    const std::lock_guard lock(world_.mutex_);
    const auto inode = find(path);
    return inode != nullptr && inode->contents.clean();
}

}  // namespace tests
