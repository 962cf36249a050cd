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
    std::set<std::uint64_t> distinct;
    for (std::uint32_t i = 0; i < count; ++i) {
        distinct.insert(raw.disks.at(i).id);
        if (raw.disks.at(i).path_bytes > kLabelPathBytesMax) {
            return Status::corruption("the label has too long a path");
        }
    }
    if (distinct.size() != count) return Status::corruption("the label names a disk twice");
    if (raw.disks.at(raw.disk_index).id != raw.disk_id) {
        return Status::corruption("the label's disk is not the one at its index");
    }
    return {};
}

LabelDisk disk_of(const LabelDiskBytes& raw) {
    LabelDisk disk{raw.id, raw.total_bytes, std::string(raw.path.data(), raw.path_bytes)};
    // It is shown to people.
    const auto is_control = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 127; };
    std::ranges::replace_if(disk.path, is_control, '?');
    return disk;
}

LabelDiskBytes bytes_of(const LabelDisk& disk) {
    LabelDiskBytes raw{};
    raw.id = disk.id;
    raw.total_bytes = disk.total_bytes;
    raw.path_bytes = static_cast<std::uint32_t>(std::min(disk.path.size(), kLabelPathBytesMax));
    std::copy(disk.path.end() - raw.path_bytes, disk.path.end(), raw.path.begin());
    return raw;
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
    label.sequence = raw.sequence;
    for (std::uint32_t i = 0; i < raw.disk_count; ++i) {
        label.disks.push_back(disk_of(raw.disks.at(i)));
    }
    return label;
}

DiskLabelBytes to_bytes(const DiskLabel& label) {
    ASSERT(!label.disks.empty());
    ASSERT(label.disks.size() <= kLabelDisksMax);
    ASSERT(label.index < label.disks.size());
    DiskLabelBytes raw{};
    raw.magic = kMagic;
    raw.format = kFormat;
    raw.disk_count = static_cast<std::uint32_t>(label.disks.size());
    raw.compatible = label.features.compatible;
    raw.read_only_compatible = label.features.read_only_compatible;
    raw.incompatible = label.features.incompatible;
    raw.deployment_high = label.deployment.high;
    raw.deployment_low = label.deployment.low;
    raw.disk_id = label.disk_id();
    raw.disk_index = label.index;
    raw.created = label.created;
    raw.sequence = label.sequence;
    std::ranges::transform(
        label.disks, raw.disks.begin(), [](const LabelDisk& disk) { return bytes_of(disk); });
    raw.crc = crc_of(bytes_of(raw));
    return raw;
}

std::string describe(const LabelDisk& disk) {
    std::string text = disk.path.empty() ? "a disk" : disk.path;
    text += " (";
    if (disk.total_bytes != 0) text += fmt::format("{} GB, ", disk.total_bytes / 1'000'000'000);
    return text + fmt::format("id {:016x})", disk.id);
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

std::size_t DeploymentDisks::member_count() const {
    return static_cast<std::size_t>(
        std::count_if(members.begin(), members.end(), [](const DiskMember& member) {
            return member.state == DiskState::member;
        }));
}

}  // namespace objstore
