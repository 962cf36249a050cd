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

std::optional<std::uint32_t> index_in(const DiskLabel& label, std::uint64_t id) {
    const auto found = std::ranges::find(label.disks, id, &LabelDisk::id);
    if (found == label.disks.end()) return std::nullopt;
    return static_cast<std::uint32_t>(found - label.disks.begin());
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

// The label that is right: the one with the highest sequence. All belong to one deployment, those
// of one sequence say the same of it, and no older one is of a disk that it does not know.
Result<DiskLabel> newest_label(const std::vector<Found>& all) {
    const Found* newest = nullptr;
    for (const Found& found : all) {
        if (!found.label) continue;
        if (newest == nullptr) newest = &found;
        if (found.label->deployment != newest->label->deployment) {
            return Status::conflict(
                fmt::format("disks of different deployments: {} belongs to {}, {} to {}",
                            newest->disk->name(),
                            to_string(newest->label->deployment),
                            found.disk->name(),
                            to_string(found.label->deployment)));
        }
        if (found.label->sequence > newest->label->sequence) newest = &found;
    }
    for (const Found& found : all) {
        if (!found.label) continue;
        if (found.label->sequence == newest->label->sequence) {
            if (found.label->disks == newest->label->disks) continue;
            return Status::conflict(fmt::format("{} and {} disagree on the disks of deployment {}",
                                                newest->disk->name(),
                                                found.disk->name(),
                                                to_string(newest->label->deployment)));
        }
        if (!index_in(*newest->label, found.label->disk_id())) {
            return Status::conflict(
                fmt::format("{} does not belong to deployment {} any more, says the newer label of "
                            "{}; do not give it, or empty it",
                            found.disk->name(),
                            to_string(newest->label->deployment),
                            newest->disk->name()));
        }
    }
    return *newest->label;
}

Status check_members(const std::vector<Found>& all, const DiskLabel& label) {
    std::map<std::uint64_t, const Found*> by_id;
    const Found* first = nullptr;
    for (const Found& found : all) {
        if (!found.label) continue;
        if (first == nullptr) first = &found;
        const auto [same, is_new] = by_id.emplace(found.label->disk_id(), &found);
        if (!is_new) {
            return Status::conflict(fmt::format("{} and {} are the same disk, or copies of one",
                                                same->second->disk->name(),
                                                found.disk->name()));
        }
    }
    if (all.size() > label.disks.size()) {
        return Status::conflict(fmt::format("the deployment of {} has {} disks, {} were given",
                                            first->disk->name(),
                                            label.disks.size(),
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

// Where the disk is and how large. True: that is news. Some file systems change their size a little
// all the time, which is none.
bool note(LabelDisk& known, Disk& disk) {
    std::string path = disk.name();
    if (path.size() > kLabelPathBytesMax) path.erase(0, path.size() - kLabelPathBytesMax);
    const auto space = disk.space();
    const std::uint64_t bytes = space.ok() ? space->total_bytes : known.total_bytes;
    const std::uint64_t change =
        std::max(bytes, known.total_bytes) - std::min(bytes, known.total_bytes);
    if (path == known.path && change <= known.total_bytes / 10) return false;
    known.path = std::move(path);
    known.total_bytes = bytes;
    return true;
}

DiskLabel new_deployment(const std::vector<Found>& all, Random& random, const Clock& clock) {
    DiskLabel label;
    label.deployment.high = random.next();
    label.deployment.low = random.next();
    label.created = clock.now();
    std::set<std::uint64_t> taken = {0};  // zero is no disk
    for (const Found& found : all) {
        LabelDisk& disk = label.disks.emplace_back();
        while (!taken.insert(disk.id).second) disk.id = random.next();
        note(disk, *found.disk);
    }
    return label;
}

// Whether power may have gone while the deployment was formatted: every disk is here, some without
// a label, and none has anything but labels, so nothing can be lost by giving the rest theirs.
bool is_half_formatted(const std::vector<Found>& all, const DiskLabel& label) {
    return all.size() == label.disks.size() &&
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

// Brings all labels to what is known now. Only with all disks here: the label of one that is away
// may be newer than all others. A disk that can not be written keeps its older label, and the
// highest sequence tells which is right.
void refresh_labels(std::vector<Found>& all, DiskLabel& label) {
    const auto members = std::ranges::count(all, DiskState::member, &Found::state);
    if (members != std::ssize(label.disks)) return;
    bool news = false;
    for (Found& found : all) {
        if (found.label->sequence != label.sequence) news = true;
        if (note(label.disks.at(found.label->index), *found.disk)) news = true;
    }
    if (!news) return;
    ++label.sequence;
    for (Found& found : all) {
        label.index = found.label->index;
        label.features = found.label->features;
        (void)write_label(*found.disk, label);
        found.label = label;
    }
}

DeploymentDisks describe(const std::vector<Found>& all, const DiskLabel& label) {
    DeploymentDisks set;
    set.deployment = label.deployment;
    set.disks = label.disks;
    for (const Found& found : all) {
        set.members.push_back({found.state, found.label, std::string()});
        if (found.state == DiskState::failed) set.members.back().error = found.error.message();
    }
    return set;
}

bool is_read_only(const std::vector<Found>& all) {
    return std::ranges::any_of(all, [](const Found& found) {
        return found.label &&
               (found.label->features.read_only_compatible & ~kKnownReadOnlyCompatible) != 0;
    });
}

Status refuse_to_format(const Found& failed) {
    return Status::unavailable(fmt::format("no disk has a label, and {} can not be read: {}",
                                           failed.disk->name(),
                                           failed.error.message()));
}

}  // namespace

Result<DeploymentDisks> open_or_format(std::span<Disk* const> disks,
                                       Random& random,
                                       const Clock& clock) {
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
    DiskLabel label = new_deployment(all, random, clock);
    if (first != all.end()) {
        TRY_ASSIGN(label, newest_label(all));
        TRY(check_members(all, label));
    }
    // An older label may have known the disk by another index.
    for (Found& found : all) {
        if (found.label) found.label->index = index_in(label, found.label->disk_id()).value();
    }
    const bool format = some_blank && (first == all.end() || is_half_formatted(all, label));
    if (format) TRY(label_blank_disks(all, label));
    const bool read_only = is_read_only(all);
    if (!read_only) refresh_labels(all, label);
    DeploymentDisks set = describe(all, label);
    set.formatted = format;
    set.read_only = read_only;
    return set;
}

}  // namespace objstore
