#include "objstore/volume/volume_maker.h"

#include <algorithm>

#include <fmt/format.h>

namespace objstore {

Result<Geometry> VolumeMaker::wanted_geometry() const {
    const int well = static_cast<int>(deps_.disks.all_writable().size());
    const Geometry wanted = options_.geometry;
    if (well >= wanted.shards()) return wanted;
    if (well >= wanted.parity + 1) {
        return Geometry{static_cast<std::uint8_t>(well - wanted.parity), wanted.parity};
    }
    if (deps_.disks.any_full()) return Status::no_space("the disks are full");
    return Status::unavailable(
        fmt::format("only {} disks can be written, {} are needed", well, wanted.parity + 1),
        Why::read_only);
}

Result<VolumeMaker::Plan> VolumeMaker::plan() {
    // Before writes are refused, disks get another chance, also those that failed just now.
    if (!wanted_geometry().ok()) deps_.disks.try_all();
    TRY_ASSIGN(const Geometry geometry, wanted_geometry());
    Plan plan;
    plan.disks = deps_.disks.all_writable();
    if (static_cast<int>(plan.disks.size()) < geometry.shards()) {
        return Status::unavailable("a disk has failed just now");
    }
    // Any order, so that each disk gets its share of data and parity.
    for (std::size_t i = plan.disks.size(); i > 1; --i) {
        std::swap(plan.disks[i - 1], plan.disks[deps_.random.next() % i]);
    }
    plan.disks.resize(static_cast<std::size_t>(geometry.shards()));
    while (plan.row.id == 0) plan.row.id = deps_.random.next();
    plan.row.geometry = geometry;
    plan.row.node = options_.node;
    for (std::size_t i = 0; i < plan.disks.size(); ++i) {
        plan.row.disks.at(i) = deps_.disks.id(plan.disks[i]);
    }
    return plan;
}

// Only below a directory that is there: a disk without it was emptied, or is not mounted.
Status VolumeMaker::make_directory(int disk, VolumeId id) {
    const int key = disk * 256 + static_cast<int>(id >> 56);
    if (directories_.with([&](auto& known) { return known.contains(key); })) return {};
    Disk& d = *deps_.disks.disk(disk);
    TRY(d.make_dir(shard_dir(id)));
    TRY(d.sync_dir(kVolumesDir));
    directories_.with([&](auto& known) { known.insert(key); });
    return {};
}

Result<std::unique_ptr<File>> VolumeMaker::make_file(const Plan& plan, int shard) {
    const int index = plan.disks[static_cast<std::size_t>(shard)];
    TRY(make_directory(index, plan.row.id));
    Disk& disk = *deps_.disks.disk(index);
    const std::string path = shard_path(plan.row.id, shard);
    auto file = disk.open(path, OpenMode::create_new);
    if (file.code() == Code::unavailable && deps_.files.close_some(kShardsMax)) {
        file = disk.open(path, OpenMode::create_new);
    }
    if (!file.ok()) return std::move(file).error();
    const Superblock superblock = make_superblock(
        plan.row,
        {.shard = shard, .deployment = options_.deployment, .created = deps_.clock.now()});
    const Bytes bytes = std::as_bytes(std::span(&superblock, 1));
    TRY((*file)->write_at(0, bytes));
    TRY((*file)->sync());
    // Another file may have met the directory before it was durable, so its name is synced here.
    TRY(disk.sync_dir(shard_dir(plan.row.id)));
    return file;
}

void VolumeMaker::remove_files(const Plan& plan) {
    // Best effort: what stays has no row, and the next start puts it aside.
    for (std::size_t i = 0; i < plan.disks.size(); ++i) {
        (void)deps_.disks.disk(plan.disks[i])->remove(shard_path(plan.row.id, static_cast<int>(i)));
    }
}

Result<std::shared_ptr<OpenVolume>> VolumeMaker::make_planned(const Plan& plan, Volume& volume) {
    Files files(plan.disks.size());
    std::array<Status, kShardsMax> statuses;
    deps_.executor.for_each(plan.disks.size(), [&](std::size_t i) {
        auto file = make_file(plan, static_cast<int>(i));
        if (file.ok()) {
            files[i] = std::move(file).value();
            return;
        }
        statuses.at(i) = std::move(file).error();
        // Too many open files are this process's trouble, not the disk's.
        if (statuses.at(i).code() == Code::unavailable) return;
        deps_.disks.report_write_error(plan.disks[i], statuses.at(i));
    });
    for (Status& status : statuses) TRY(std::move(status).with_context("new volume"));
    const OpenVolume::Deps deps{deps_.disks, deps_.executor, deps_.catalog, deps_.order, drained_};
    auto open = std::make_shared<OpenVolume>(volume, std::move(files), options_.limits, deps);
    TRY(open->allocate_first());
    TRY(deps_.catalog.add_volume(plan.row));
    return open;
}

Result<std::shared_ptr<OpenVolume>> VolumeMaker::make() {
    // Each round but the last puts a disk out of use.
    for (int round = 0;; ++round) {
        const std::uint64_t epoch = deps_.disks.epoch();
        TRY_ASSIGN(const Plan planned, plan());
        // In the map before there are files, so that nobody takes them for lost.
        Volume* const volume = deps_.volumes.add(planned.row);
        if (volume == nullptr) continue;
        auto open = make_planned(planned, *volume);
        if (open.ok()) return open;
        // Where it is unknown whether the row is there, the files stay: a row without files looks
        // like a loss.
        if (open.why() != Why::outcome_unknown) remove_files(planned);
        deps_.volumes.remove(planned.row.id);
        if (deps_.disks.epoch() == epoch || round >= deps_.disks.count()) return open;
    }
}

}  // namespace objstore
