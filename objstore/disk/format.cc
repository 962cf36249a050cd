#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "objstore/disk/label.h"
#include "objstore/disk/local_disk.h"

namespace objstore {

namespace {

// Features that this version can write beside: none yet.
constexpr std::uint64_t kKnownReadOnlyCompatible = 0;

// What a disk turned out to be.
struct Found {
    Disk* disk = nullptr;
    DiskState state = DiskState::failed;
    std::optional<DiskLabel> label;
    Status error;
    bool has_files = false;  // beside the label
};

// Names that may be there before the disk is ours, or of which a crash may leave one.
bool is_ours_before_format(std::string_view file) {
    return file == "lost+found/" || file == LocalDisk::kLockFile || file == kStagedLabelFile;
}

// Whether the disk holds files beside the label and those; the name of one of them.
std::optional<std::string> other_file(const std::vector<std::string>& names) {
    std::optional<std::string> first;
    for (const std::string& file : names) {
        if (file == kLabelFile || is_ours_before_format(file)) continue;
        if (!first || file < *first) first = file;
    }
    return first;
}

// Errors that forbid to go on; what concerns one disk alone is in what it returns.
Result<Found> look_at(Disk& disk) {
    Found found;
    found.disk = &disk;
    auto label = read_label(disk);
    auto names = disk.list("");
    if (label.code() == Code::unsupported) return std::move(label).error();
    if (!label.ok() || !names.ok()) {
        found.error = label.ok() ? std::move(names).error() : std::move(label).error();
        return found;
    }
    const auto other = other_file(*names);
    if (!label->has_value() && other) {
        return Status::conflict(
            fmt::format("{}: holds files that are not Ashlar's (first: {})", disk.name(), *other));
    }
    found.has_files = other.has_value();
    found.state = label->has_value() ? DiskState::member : DiskState::blank;
    found.label = std::move(label).value();
    return found;
}

// All labels belong to one deployment and say the same of it.
Status check_agreement(const std::vector<Found>& all, const Found& first) {
    std::map<std::uint64_t, const Found*> by_id;
    for (const Found& found : all) {
        if (!found.label) continue;
        if (found.label->deployment != first.label->deployment) {
            return Status::conflict(
                fmt::format("disks of different deployments: {} belongs to {}, {} to {}",
                            first.disk->name(),
                            to_string(first.label->deployment),
                            found.disk->name(),
                            to_string(found.label->deployment)));
        }
        if (found.label->disk_ids != first.label->disk_ids) {
            return Status::conflict(fmt::format("{} and {} disagree on the disks of deployment {}",
                                                first.disk->name(),
                                                found.disk->name(),
                                                to_string(first.label->deployment)));
        }
        const auto [same, is_new] = by_id.emplace(found.label->disk_id(), &found);
        if (!is_new) {
            return Status::conflict(fmt::format("{} and {} are the same disk, or copies of one",
                                                same->second->disk->name(),
                                                found.disk->name()));
        }
    }
    if (all.size() > first.label->disk_ids.size()) {
        return Status::conflict(fmt::format("the deployment of {} has {} disks, {} were given",
                                            first.disk->name(),
                                            first.label->disk_ids.size(),
                                            all.size()));
    }
    return {};
}

Status label_disk(Found& found, DiskLabel label) {
    // Two paths may lead to one directory: the second would take over the first one's label.
    TRY_ASSIGN(const auto present, read_label(*found.disk));
    if (present) {
        return Status::conflict(found.disk->name() + ": is the same directory as another disk");
    }
    TRY(write_label(*found.disk, label));
    found.label = std::move(label);
    found.state = DiskState::member;
    return {};
}

DiskLabel new_deployment(std::size_t disk_count, Random& random, const Clock& clock) {
    DiskLabel label;
    label.deployment.high = random.next();
    label.deployment.low = random.next();
    label.created = clock.now();
    std::set<std::uint64_t> taken = {0};  // zero is no disk
    while (label.disk_ids.size() < disk_count) {
        const std::uint64_t id = random.next();
        if (taken.insert(id).second) label.disk_ids.push_back(id);
    }
    return label;
}

// Whether power may have gone while the deployment was formatted: every disk is here, some without
// a label, and none has anything but labels, so nothing can be lost by giving the rest theirs.
bool is_half_formatted(const std::vector<Found>& all, const DiskLabel& label) {
    return all.size() == label.disk_ids.size() &&
           std::none_of(all.begin(), all.end(), [](const Found& found) {
               return found.state == DiskState::failed || found.has_files;
           });
}

// Gives the blank disks the places that no member has, in order.
Status label_blank_disks(std::vector<Found>& all, DiskLabel label) {
    std::set<std::uint32_t> taken;
    for (const Found& found : all) {
        if (found.label) taken.insert(found.label->index);
    }
    label.index = 0;
    for (Found& found : all) {
        if (found.state != DiskState::blank) continue;
        while (taken.contains(label.index)) ++label.index;
        TRY(label_disk(found, label));
        ++label.index;
    }
    return {};
}

DiskSet describe(const std::vector<Found>& all, const DiskLabel& label) {
    DiskSet set;
    set.deployment = label.deployment;
    set.disk_ids = label.disk_ids;
    for (const Found& found : all) {
        set.members.push_back({found.state, found.label, std::string()});
        if (found.state == DiskState::failed) set.members.back().error = found.error.message();
        if (!found.label) continue;
        const std::uint64_t features = found.label->features.read_only_compatible;
        if ((features & ~kKnownReadOnlyCompatible) != 0) set.read_only = true;
    }
    return set;
}

Status refuse_to_format(const Found& failed) {
    return Status::unavailable(fmt::format("no disk has a label, and {} can not be read: {}",
                                           failed.disk->name(),
                                           failed.error.message()));
}

}  // namespace

Result<DiskSet> open_or_format(std::span<Disk* const> disks, Random& random, const Clock& clock) {
    if (disks.empty() || disks.size() > kLabelDisksMax) {
        return Status::invalid_argument(
            fmt::format("{} disks were given, 1 to {} can be", disks.size(), kLabelDisksMax));
    }
    std::vector<Found> all;
    for (Disk* disk : disks) {
        TRY_ASSIGN(auto found, look_at(*disk));
        all.push_back(std::move(found));
    }
    const auto is = [](DiskState state) {
        return [state](const Found& found) { return found.state == state; };
    };
    const auto first = std::find_if(all.begin(), all.end(), is(DiskState::member));
    const auto failed = std::find_if(all.begin(), all.end(), is(DiskState::failed));
    const bool some_blank = std::any_of(all.begin(), all.end(), is(DiskState::blank));
    if (first == all.end() && failed != all.end()) return refuse_to_format(*failed);
    if (first != all.end()) TRY(check_agreement(all, *first));

    const DiskLabel label =
        first != all.end() ? *first->label : new_deployment(all.size(), random, clock);
    const bool format = some_blank && (first == all.end() || is_half_formatted(all, label));
    if (format) TRY(label_blank_disks(all, label));
    DiskSet set = describe(all, label);
    set.formatted = format;
    return set;
}

}  // namespace objstore
