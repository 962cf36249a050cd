#include "objstore/volume/disk_set.h"

#include <bit>

#include <fmt/format.h>
#include <spdlog/logger.h>

#include "objstore/volume/format.h"

namespace objstore {

namespace {

constexpr std::chrono::nanoseconds kFailedFor = std::chrono::seconds(30);
constexpr std::chrono::nanoseconds kFullFor = std::chrono::seconds(1);
constexpr std::chrono::nanoseconds kTryAllPause = std::chrono::seconds(1);

}  // namespace

DiskSet::DiskSet(const std::vector<VolumeDisk>& disks,
                 Options options,
                 const Clock& clock,
                 spdlog::logger& log)
    : options_(options), clock_(clock), log_(log) {
    for (const VolumeDisk& d : disks) {
        auto member = std::make_unique<Member>();
        member->id = d.id;
        member->disk = d.disk;
        members_.push_back(std::move(member));
    }
}

DiskSet::Member& DiskSet::member(int index) const {
    return *members_.at(static_cast<std::size_t>(index));
}

int DiskSet::find(DiskId id) const {
    for (int i = 0; i < count(); ++i) {
        if (member(i).id == id) return i;
    }
    return -1;
}

bool DiskSet::writable(int index) const {
    const Member& m = member(index);
    return m.disk != nullptr && m.state.load(std::memory_order_relaxed) == State::well;
}

std::vector<int> DiskSet::all_writable() const {
    std::vector<int> found;
    for (int i = 0; i < count(); ++i) {
        if (writable(i)) found.push_back(i);
    }
    return found;
}

bool DiskSet::any_full() const {
    for (const auto& m : members_) {
        if (m->state.load(std::memory_order_relaxed) == State::full) return true;
    }
    return false;
}

void DiskSet::report_write_error(int index, const Status& status) {
    Member& m = member(index);
    const bool full = status.code() == Code::no_space;
    if (!full) m.write_errors.fetch_add(1, std::memory_order_relaxed);
    const State state = full ? State::full : State::failed;
    m.trial_at = (clock_.steady() + (full ? kFullFor : kFailedFor)).count();
    if (m.state.exchange(state) == state) return;
    epoch_.fetch_add(1, std::memory_order_release);
    const std::string_view what = full ? "full" : "failed";
    log_.error("event=disk_out disk={} state={} error=\"{}\"",
               m.disk != nullptr ? m.disk->name() : to_hex(m.id),
               what,
               status.message());
}

void DiskSet::report_read_error(int index, const Status& status) {
    Member& m = member(index);
    const std::uint64_t errors = m.read_errors.fetch_add(1, std::memory_order_relaxed) + 1;
    // A rotten disk fails thousands of reads: each doubling of their number is worth a line.
    if (!std::has_single_bit(errors)) return;
    log_.warn("event=read_error disk={} errors={} error=\"{}\"",
              m.disk != nullptr ? m.disk->name() : to_hex(m.id),
              errors,
              status.message());
}

Status DiskSet::check_room(int index, std::uint64_t bytes) const {
    const Member& m = member(index);
    if (m.disk == nullptr) return Status::unavailable("the disk is absent");
    TRY_ASSIGN(const DiskSpace space, m.disk->space());
    if (space.free_bytes >= bytes + options_.reserve_bytes) return {};
    return Status::no_space(fmt::format("{}: {} bytes free", m.disk->name(), space.free_bytes));
}

bool DiskSet::is_due(const Member& m) const {
    return m.disk != nullptr && m.state.load(std::memory_order_relaxed) != State::well &&
           clock_.steady().count() >= m.trial_at.load(std::memory_order_relaxed);
}

bool DiskSet::trial_due() const {
    for (const auto& m : members_) {
        if (m->state.load(std::memory_order_relaxed) != State::well && is_due(*m)) return true;
    }
    return false;
}

// One thread tries a disk, and the next trial is some time later whatever comes of this one.
bool DiskSet::claim_trial(Member& m) const {
    std::int64_t due = m.trial_at.load();
    const auto pause = m.state.load() == State::full ? kFullFor : kFailedFor;
    return is_due(m) && m.trial_at.compare_exchange_strong(due, (clock_.steady() + pause).count());
}

void DiskSet::try_again() {
    for (int i = 0; i < count(); ++i) {
        if (claim_trial(member(i))) try_member(i);
    }
}

void DiskSet::try_all() {
    const std::int64_t now = clock_.steady().count();
    for (int i = 0; i < count(); ++i) {
        Member& m = member(i);
        if (m.disk == nullptr || m.state.load() == State::well) continue;
        std::int64_t from = m.try_all_at.load();
        const std::int64_t next = now + kTryAllPause.count();
        if (now >= from && m.try_all_at.compare_exchange_strong(from, next)) try_member(i);
    }
}

void DiskSet::try_member(int index) {
    Member& m = member(index);
    const bool full = m.state.load() == State::full;
    if (full && !check_room(index, options_.room_bytes).ok()) return;
    if (!try_one(m).ok()) return;
    m.state = State::well;
    epoch_.fetch_add(1, std::memory_order_release);
    log_.info("event=disk_back disk={}", m.disk->name());
}

Status DiskSet::try_one(const Member& m) const {
    const std::string path = fmt::format("{}/trial", kVolumesDir);
    TRY_ASSIGN(const auto file, m.disk->open(path, OpenMode::create));
    const std::array<std::byte, kBlockBytes> block{};
    TRY(file->write_at(0, Bytes(block)));
    TRY(file->sync());
    return m.disk->remove(path);
}

std::vector<VolumeStore::DiskHealth> DiskSet::health() const {
    std::vector<VolumeStore::DiskHealth> all;
    for (const auto& m : members_) {
        all.push_back({.id = m->id,
                       .absent = m->disk == nullptr,
                       .failed = m->state.load() == State::failed,
                       .full = m->state.load() == State::full,
                       .read_errors = m->read_errors.load(),
                       .write_errors = m->write_errors.load()});
    }
    return all;
}

}  // namespace objstore
