#include "objstore/volume/strays.h"

#include <algorithm>

#include <fmt/format.h>
#include <spdlog/logger.h>

#include "objstore/volume/shard_file.h"

namespace objstore {

namespace {

constexpr std::string_view kLostDir = "lost";
constexpr std::size_t kNamedFilesMax = 8;  // in a message

// The directories vol/XX of a disk.
Result<std::vector<std::string>> volume_directories(Disk& disk) {
    auto names = disk.list(kVolumesDir);
    if (names.code() == Code::not_found) return std::vector<std::string>();
    TRY(names.error());
    std::vector<std::string> found;
    for (std::string& name : *names) {
        if (name.size() < 2 || name.back() != '/') continue;
        name.pop_back();
        found.push_back(fmt::format("{}/{}", kVolumesDir, name));
    }
    return found;
}

}  // namespace

// ---- looking

Status Strays::find() {
    found_.assign(static_cast<std::size_t>(deps_.disks.count()), {});
    deps_.executor.for_each(found_.size(), [&](std::size_t i) {
        const int index = static_cast<int>(i);
        if (deps_.disks.disk(index) == nullptr) return;
        const Status status = look(index, found_[i]);
        // A disk that can not be listed is like one that is away.
        if (!status.ok()) deps_.disks.report_read_error(index, status);
    });
    const bool lost_commits =
        std::ranges::any_of(found_, [](const Found& found) { return !found.stripes.empty(); });
    return lost_commits ? refuse() : Status();
}

Status Strays::look(int disk, Found& found) {
    TRY_ASSIGN(const auto directories, volume_directories(*deps_.disks.disk(disk)));
    for (const std::string& directory : directories) TRY(look_below(disk, directory, found));
    return look_at_lost(disk, found);
}

Status Strays::look_below(int index, const std::string& directory, Found& found) {
    Disk& disk = *deps_.disks.disk(index);
    TRY_ASSIGN(const auto names, disk.list(directory));
    for (const std::string& name : names) {
        const auto shard = parse_shard_name(name);
        if (!shard.ok() || deps_.volumes.find(shard->id) != nullptr) continue;
        Stray stray{directory, name, *shard};
        TRY_ASSIGN(const Holds holds, look_into(disk, stray));
        if (holds == Holds::stripes) {
            found.stripes.push_back(fmt::format("{}/{}", disk.name(), stray.path()));
        } else if (holds == Holds::nothing) {
            found.empty.push_back(std::move(stray));
        }
    }
    return {};
}

Status Strays::look_at_lost(int index, Found& found) {
    Disk& disk = *deps_.disks.disk(index);
    auto names = disk.list(kLostDir);
    if (names.code() == Code::not_found) return {};
    TRY(names.error());
    for (const std::string& name : *names) {
        const auto shard = parse_shard_name(name);
        if (!shard.ok()) continue;
        // What is there already stays: two files of one name are for people to compare.
        std::erase_if(found.empty, [&](const Stray& stray) { return stray.name == name; });
        if (!belongs(index, *shard)) continue;
        const auto there = disk.open(shard_path(shard->id, shard->shard), OpenMode::read);
        if (there.code() != Code::not_found) continue;
        const auto file = disk.open(fmt::format("{}/{}", kLostDir, name), OpenMode::read);
        if (!file.ok()) continue;
        const auto superblock = read_superblock(**file);
        if (!superblock.ok() || !is_ours(*superblock, *shard)) continue;
        found.lost.push_back({std::string(kLostDir), name, *shard});
    }
    return {};
}

bool Strays::belongs(int disk, ShardName shard) const {
    const Volume* const volume = deps_.volumes.find(shard.id);
    return volume != nullptr && shard.shard < volume->geometry().shards() &&
           volume->disk_of(shard.shard) == disk;
}

bool Strays::is_ours(const Superblock& superblock, ShardName shard) const {
    return superblock.volume == shard.id && superblock.shard == shard.shard &&
           superblock.deployment == deps_.deployment;
}

// Volumes that were being made, or removed, have a superblock at most, or an empty footer.
Result<Strays::Holds> Strays::look_into(Disk& disk, const Stray& stray) const {
    TRY_ASSIGN(const auto file, disk.open(stray.path(), OpenMode::read));
    TRY_ASSIGN(const std::uint64_t size, file->size());
    const auto superblock = read_superblock(*file);
    // A copy of another deployment's file, or of another volume's, is nobody's loss here.
    if (superblock.ok() && !is_ours(*superblock, stray.shard)) return Holds::nothing;
    if (size <= kSuperblockBytes) {
        return superblock.code() == Code::unsupported ? Holds::unknown : Holds::nothing;
    }
    const auto footer = read_footer(*file, size);
    return footer.ok() && footer->index.empty() ? Holds::nothing : Holds::stripes;
}

Status Strays::refuse() const {
    std::vector<std::string> named;
    std::size_t count = 0;
    for (const Found& found : found_) {
        count += found.stripes.size();
        for (const std::string& file : found.stripes) {
            if (named.size() < kNamedFilesMax) named.push_back(file);
        }
    }
    return Status::corruption(fmt::format(
        "{} files have data of volumes that the namespace does not know ({}{}): the namespace is "
        "older than the data, or lost its last changes. Nothing was changed. Put back the "
        "folders meta of the disks as they were last; or, to do without what these files hold, "
        "move "
        "them from vol/.. to lost/ of their disks, and start again",
        count,
        fmt::join(named, ", "),
        named.size() < count ? ", ..." : ""));
}

// ---- moving

Status Strays::bring_back(Disk& disk, const Stray& stray) {
    TRY(disk.make_dir(shard_dir(stray.shard.id)));
    TRY(disk.sync_dir(kVolumesDir));
    TRY(disk.rename(stray.path(), shard_path(stray.shard.id, stray.shard.shard)));
    TRY(disk.sync_dir(shard_dir(stray.shard.id)));
    TRY(disk.sync_dir(kLostDir));
    deps_.log.warn("event=brought_back disk={} file={}", disk.name(), stray.path());
    return {};
}

Status Strays::put_aside(Disk& disk, const Stray& stray) {
    {
        // What was reserved past its end is given back.
        TRY_ASSIGN(const auto opened, disk.open(stray.path(), OpenMode::write));
        TRY_ASSIGN(const std::uint64_t size, opened->size());
        TRY(opened->truncate(size));
    }
    TRY(disk.make_dir(kLostDir));
    TRY(disk.sync_dir(""));
    TRY(disk.rename(stray.path(), fmt::format("{}/{}", kLostDir, stray.name)));
    TRY(disk.sync_dir(kLostDir));
    TRY(disk.sync_dir(stray.directory));
    deps_.log.warn("event=put_aside disk={} file={}", disk.name(), stray.path());
    return {};
}

void Strays::settle() {
    deps_.executor.for_each(found_.size(), [&](std::size_t i) {
        const int index = static_cast<int>(i);
        Status status;
        for (const Stray& stray : found_[i].lost) {
            if (status.ok()) status = bring_back(*deps_.disks.disk(index), stray);
        }
        for (const Stray& stray : found_[i].empty) {
            if (status.ok()) status = put_aside(*deps_.disks.disk(index), stray);
        }
        if (!status.ok()) deps_.disks.report_read_error(index, status);
    });
    found_.clear();
}

Result<bool> holds_shard_files(Disk& disk) {
    TRY_ASSIGN(const auto directories, volume_directories(disk));
    for (const std::string& directory : directories) {
        TRY_ASSIGN(const auto names, disk.list(directory));
        const auto is_shard = [](const std::string& name) { return parse_shard_name(name).ok(); };
        if (std::ranges::any_of(names, is_shard)) return true;
    }
    return false;
}

}  // namespace objstore
