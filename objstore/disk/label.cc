#include "objstore/disk/label.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "objstore/erasure/checksum.h"

namespace objstore {

namespace {

constexpr std::array<char, 8> kMagic = {'A', 'S', 'H', 'L', 'A', 'R', 'D', 'K'};
constexpr std::uint32_t kFormat = 1;
// Features that this version knows: none yet.
constexpr std::uint64_t kKnownIncompatible = 0;

Bytes bytes_of(const DiskLabelBytes& label) {
    return std::as_bytes(std::span(&label, 1));
}

std::uint32_t crc_of(Bytes label) {
    return crc32c(label.first(offsetof(DiskLabelBytes, crc)));
}

Status check_ids(const DiskLabelBytes& raw) {
    const std::uint32_t count = raw.disk_count;
    if (count < 1 || count > kLabelDisksMax) {
        return Status::corruption(fmt::format("the label names {} disks", count));
    }
    if (raw.disk_index >= count) {
        return Status::corruption(
            fmt::format("the label has index {} of {} disks", raw.disk_index, count));
    }
    const std::set<std::uint64_t> distinct(raw.disk_ids.begin(), raw.disk_ids.begin() + count);
    if (distinct.size() != count) return Status::corruption("the label names a disk twice");
    if (raw.disk_ids.at(raw.disk_index) != raw.disk_id) {
        return Status::corruption("the label's disk is not the one at its index");
    }
    return {};
}

}  // namespace

std::string to_string(const DeploymentId& id) {
    return to_hex(id.high) + to_hex(id.low);
}

Result<DiskLabel> parse_label(Bytes bytes) {
    if (bytes.size() != kLabelBytes) {
        return Status::corruption(
            fmt::format("the label has {} bytes instead of {}", bytes.size(), kLabelBytes));
    }
    const auto raw = load<DiskLabelBytes>(bytes);
    if (raw.magic != kMagic) return Status::corruption("the label has another magic");
    if (raw.crc != crc_of(bytes)) return Status::corruption("the label's checksum is wrong");
    if (raw.format != kFormat) {
        return Status::unsupported(
            fmt::format("the disk has format {}, known is {}: it needs a "
                        "newer version of Ashlar",
                        raw.format,
                        kFormat));
    }
    if ((raw.incompatible & ~kKnownIncompatible) != 0) {
        return Status::unsupported(fmt::format(
            "the disk has features {:#x} that need a newer version of Ashlar", raw.incompatible));
    }
    TRY(check_ids(raw));
    DiskLabel label;
    label.features = {raw.compatible, raw.read_only_compatible, raw.incompatible};
    label.deployment = {raw.deployment_high, raw.deployment_low};
    label.index = raw.disk_index;
    label.created = raw.created;
    label.disk_ids.assign(raw.disk_ids.begin(), raw.disk_ids.begin() + raw.disk_count);
    return label;
}

DiskLabelBytes to_bytes(const DiskLabel& label) {
    ASSERT(!label.disk_ids.empty());
    ASSERT(label.disk_ids.size() <= kLabelDisksMax);
    ASSERT(label.index < label.disk_ids.size());
    DiskLabelBytes raw{};
    raw.magic = kMagic;
    raw.format = kFormat;
    raw.disk_count = static_cast<std::uint32_t>(label.disk_ids.size());
    raw.compatible = label.features.compatible;
    raw.read_only_compatible = label.features.read_only_compatible;
    raw.incompatible = label.features.incompatible;
    raw.deployment_high = label.deployment.high;
    raw.deployment_low = label.deployment.low;
    raw.disk_id = label.disk_id();
    raw.disk_index = label.index;
    raw.created = label.created;
    std::copy(label.disk_ids.begin(), label.disk_ids.end(), raw.disk_ids.begin());
    raw.crc = crc_of(bytes_of(raw));
    return raw;
}

Result<std::optional<DiskLabel>> read_label(Disk& disk) {
    auto file = disk.open(kLabelFile, OpenMode::read);
    if (file.code() == Code::not_found) return std::optional<DiskLabel>();
    TRY(file.error());
    // One byte more, so that a label that is too long is noticed.
    Buffer buffer(kLabelBytes + 1);
    TRY_ASSIGN(const std::size_t length, (*file)->read_some_at(0, buffer.span()));
    auto label = parse_label(buffer.span().first(length));
    if (!label.ok()) {
        return std::move(label).error().with_context(fmt::format("{}/{}", disk.name(), kLabelFile));
    }
    return std::optional<DiskLabel>(std::move(label).value());
}

Status write_label(Disk& disk, const DiskLabel& label) {
    const DiskLabelBytes raw = to_bytes(label);
    // What an earlier attempt has staged may be a file whose sync has failed.
    const Status removed = disk.remove(kStagedLabelFile);
    if (!removed.ok() && removed.code() != Code::not_found) return removed;
    TRY_ASSIGN(const auto file, disk.open(kStagedLabelFile, OpenMode::create_new));
    TRY(file->write_at(0, bytes_of(raw)));
    TRY(file->sync());
    TRY(disk.rename(kStagedLabelFile, kLabelFile));
    return disk.sync_dir("");
}

std::size_t DiskSet::member_count() const {
    return static_cast<std::size_t>(
        std::count_if(members.begin(), members.end(), [](const DiskMember& member) {
            return member.state == DiskState::member;
        }));
}

}  // namespace objstore
