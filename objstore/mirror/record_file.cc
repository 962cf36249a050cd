#include "objstore/mirror/record_file.h"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

#include "objstore/disk/path.h"

namespace objstore {

namespace {

constexpr std::size_t kSlots = 2;

bool is_newer(const MirrorRecord& a, const MirrorRecord& b) {
    return std::tie(a.epoch, a.started) > std::tie(b.epoch, b.started);
}

// A slot that can not be read is as good as a rotten one.
Result<std::optional<MirrorRecord>> read_slot(const File& file, std::size_t slot) {
    std::array<std::byte, kMirrorSlotBytes> bytes;
    if (!file.read_at(slot * kMirrorSlotBytes, bytes).ok()) return std::optional<MirrorRecord>();
    auto record = parse_mirror_record(bytes);
    if (record.ok()) return std::optional<MirrorRecord>(std::move(record).value());
    // Were it passed over, the other slot would count, which is older.
    if (record.code() == Code::unsupported) return std::move(record).error();
    return std::optional<MirrorRecord>();
}

}  // namespace

Result<MirrorRecordFile::State> MirrorRecordFile::read() {
    auto file = disk_.open(kMirrorRecordFile, OpenMode::read);
    if (file.code() == Code::not_found) return is_blank() ? State::absent : State::rotten;
    TRY(file.error());
    for (std::size_t slot = 0; slot < kSlots; ++slot) {
        auto found = read_slot(**file, slot);
        if (!found.ok()) {
            return std::move(found).error().with_context(
                fmt::format("{}/{}", disk_.name(), kMirrorRecordFile));
        }
        if (!found->has_value() || (record_ && !is_newer(**found, *record_))) continue;
        record_ = **found;
        slot_ = slot;
    }
    return record_ ? State::readable : State::rotten;
}

// Whether the disk has no namespace either, of which it should know then.
bool MirrorRecordFile::is_blank() const {
    const auto names = disk_.list(split_disk_path(kMirrorRecordFile).first);
    if (!names.ok()) return names.code() == Code::not_found;
    return std::ranges::none_of(
        *names, [](const std::string& name) { return name.starts_with("namespace"); });
}

// Under its name only when it is whole, so that a disk has either none or one that can be read.
Status MirrorRecordFile::create(Bytes slot) {
    const std::string folder(split_disk_path(kMirrorRecordFile).first);
    TRY(disk_.make_dir(folder));
    TRY(disk_.sync_dir(split_disk_path(folder).first));
    const Status removed = disk_.remove(kStagedMirrorRecordFile);
    if (!removed.ok() && removed.code() != Code::not_found) return removed;
    TRY_ASSIGN(const auto file, disk_.open(kStagedMirrorRecordFile, OpenMode::create_new));
    std::array<std::byte, kSlots * kMirrorSlotBytes> bytes{};
    std::ranges::copy(slot, bytes.begin());
    TRY(file->write_at(0, Bytes(bytes)));
    TRY(file->sync());
    TRY(disk_.rename(kStagedMirrorRecordFile, kMirrorRecordFile));
    return disk_.sync_dir(folder);
}

Status MirrorRecordFile::open() {
    if (file_ == nullptr) {
        TRY_ASSIGN(file_, disk_.open(kMirrorRecordFile, OpenMode::write));
    }
    if (slot_is_synced_) return {};
    // What was read may be in the page cache alone, after a sync that failed in an earlier process:
    // the same bytes once more, before the other slot is given up.
    const MirrorRecordBytes raw = to_bytes(*record_);
    TRY(file_->write_at(slot_ * kMirrorSlotBytes, std::as_bytes(std::span(&raw, 1))));
    TRY(file_->sync());
    slot_is_synced_ = true;
    return {};
}

Status MirrorRecordFile::write(MirrorRecord record) {
    if (failed_) {
        return Status::io_error(fmt::format(
            "{}/{}: not written since a write failed", disk_.name(), kMirrorRecordFile));
    }
    const MirrorRecordBytes raw = to_bytes(record);
    const Bytes bytes = std::as_bytes(std::span(&raw, 1));
    failed_ = true;  // until it is known not to have
    if (!record_) {
        TRY(create(bytes));
        slot_ = 0;
    } else {
        TRY(open());
        const std::size_t other = (slot_ + 1) % kSlots;
        TRY(file_->write_at(other * kMirrorSlotBytes, bytes));
        TRY(file_->sync());
        slot_ = other;
    }
    failed_ = false;
    slot_is_synced_ = true;
    record_ = std::move(record);
    return {};
}

}  // namespace objstore
