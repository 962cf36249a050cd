#include "objstore/volume/recovery.h"

#include <algorithm>

#include <fmt/format.h>
#include <spdlog/logger.h>

namespace objstore {

namespace {

constexpr std::string_view kLostDir = "lost";
// How much is read at once where no header is.
constexpr std::size_t kSearchBytes = 256 * kKiB;

}  // namespace

std::uint64_t Recovery::end_of(const VolumeRow& row) {
    return std::max<std::uint64_t>(row.named_end, kSuperblockBytes);
}

int Recovery::disk_of(const VolumeRow& row, int shard) const {
    return deps_.disks.find(row.disks.at(static_cast<std::size_t>(shard)));
}

Result<std::unique_ptr<File>> Recovery::open(const VolumeRow& row, int shard, OpenMode mode) {
    const int index = disk_of(row, shard);
    Disk* const disk = index < 0 ? nullptr : deps_.disks.disk(index);
    if (disk == nullptr) return Status::unavailable("the disk is absent");
    return disk->open(shard_path(row.id, shard), mode);
}

void Recovery::begin(const std::vector<VolumeRow>& rows) {
    for (const VolumeRow& row : rows) {
        if (row.state == VolumeState::open && row.node == deps_.node) left_.push_back({row, false});
    }
    for (Left& left : left_) left.complete = cut(left.row);
}

bool Recovery::cut(const VolumeRow& row) {
    const std::uint64_t end = end_of(row);
    const auto count = static_cast<std::size_t>(row.geometry.shards());
    std::vector<std::unique_ptr<File>> files(count);
    std::array<Status, kShardsMax> statuses;
    deps_.executor.for_each(count, [&](std::size_t i) {
        auto file = open(row, static_cast<int>(i), OpenMode::write);
        statuses.at(i) = file.error();
        if (!file.ok()) return;
        const auto size = (*file)->size();
        statuses.at(i) = size.error();
        if (size.ok() && *size < end) {
            statuses.at(i) = Status::corruption(fmt::format("{} bytes of {}", *size, end));
        }
        files[i] = std::move(file).value();
    });
    bool complete = true;
    for (std::size_t i = 0; i < count; ++i) {
        if (statuses.at(i).ok()) continue;
        complete = false;
        const int shard = static_cast<int>(i);
        const int disk = disk_of(row, shard);
        if (disk < 0 || deps_.disks.disk(disk) == nullptr) continue;
        deps_.disks.report_read_error(
            disk, std::move(statuses.at(i)).with_context(shard_path(row.id, shard)));
    }
    if (!complete) return false;
    deps_.executor.for_each(count, [&](std::size_t i) {
        statuses.at(i) = files[i]->truncate(end);
        if (statuses.at(i).ok()) return;
        deps_.disks.report_write_error(disk_of(row, static_cast<int>(i)), statuses.at(i));
    });
    return std::ranges::all_of(statuses, [](const Status& s) { return s.ok(); });
}

// The stripes whose headers a shard has below the end. What garbage lies between is passed over.
Result<Recovery::Index> Recovery::walk(const VolumeRow& row, int shard) {
    TRY_ASSIGN(const auto file, open(row, shard, OpenMode::read));
    const std::uint64_t end = end_of(row);
    Index index;
    Buffer memory(kSearchBytes);
    std::uint64_t at = kSuperblockBytes;
    bool found = true;
    while (at < end) {
        if (stopping_) return Status::cancelled("stopping");
        const std::size_t wanted = found ? kBlockBytes : kSearchBytes;
        TRY_ASSIGN(const std::size_t size, file->read_some_at(at, memory.span().first(wanted)));
        if (size < sizeof(StripePrologue)) break;
        const Bytes window = memory.span().first(size);
        found = false;
        std::size_t step = 0;
        for (; !found && step + sizeof(StripePrologue) <= size; step += kBlockBytes) {
            const auto p = StripeHeader::parse_prologue(window.subspan(step));
            if (!p.ok() || p->volume != row.id || p->shard != shard || p->place != at + step ||
                p->place + p->stripe_bytes > end || index.size() >= kStripesMax) {
                continue;
            }
            index.push_back(
                {p->place, p->header_bytes, p->column_bytes, p->payload_bytes, p->nonce});
            found = true;
        }
        at = found ? index.back().end() : at + step;
    }
    return index;
}

// Those that all shards at hand have: the others were never acknowledged.
Result<Recovery::Index> Recovery::walk_all(const VolumeRow& row) {
    const auto count = static_cast<std::size_t>(row.geometry.shards());
    std::vector<Result<Index>> found(count, Result<Index>(Index()));
    deps_.executor.for_each(count,
                            [&](std::size_t i) { found[i] = walk(row, static_cast<int>(i)); });
    if (stopping_) return Status::cancelled("stopping");
    Result<Index> common = Status::unavailable("no shard can be read");
    for (const auto& one : found) {
        if (!one.ok()) continue;
        if (!common.ok()) {
            common = *one;
            continue;
        }
        std::erase_if(*common, [&](const FooterEntry& e) {
            const auto same = std::ranges::lower_bound(*one, e.place, {}, &FooterEntry::place);
            return same == one->end() || same->place != e.place || same->nonce != e.nonce;
        });
    }
    return common;
}

Status Recovery::write_footers(const VolumeRow& row, const Index& index) {
    const auto count = static_cast<std::size_t>(row.geometry.shards());
    std::array<Status, kShardsMax> statuses;
    deps_.executor.for_each(count, [&](std::size_t i) {
        const int shard = static_cast<int>(i);
        auto file = open(row, shard, OpenMode::write);
        if (!file.ok()) {
            statuses.at(i) = std::move(file).error();
            return;
        }
        ShardFile writer(std::move(file).value(), deps_.disks, disk_of(row, shard));
        const FooterFields fields{.volume = row.id, .shard = shard, .length = end_of(row)};
        statuses.at(i) = write_footer(writer, fields, index);
    });
    const auto bad = static_cast<std::size_t>(
        std::ranges::count_if(statuses, [](const Status& s) { return !s.ok(); }));
    if (bad <= row.geometry.parity) return {};
    return *std::ranges::find_if(statuses, [](const Status& s) { return !s.ok(); });
}

Status Recovery::seal(const Left& left) {
    TRY_ASSIGN(const Index index, walk_all(left.row));
    std::uint64_t payload_bytes = 0;
    for (const FooterEntry& e : index) payload_bytes += e.payload_bytes;
    // With shards missing nothing is cut or written: whoever finds them again finds all as it was.
    if (left.complete) TRY(write_footers(left.row, index));
    return deps_.catalog.seal_volume(left.row.id, end_of(left.row), payload_bytes);
}

void Recovery::finish() {
    for (const Left& left : left_) {
        if (stopping_) return;
        const Status status = seal(left);
        if (status.ok()) {
            deps_.log.info("event=volume_recovered volume={:016x} length={} complete={}",
                           left.row.id,
                           end_of(left.row),
                           left.complete);
        } else if (status.code() != Code::cancelled) {
            deps_.log.warn(
                "event=not_recovered volume={:016x} error=\"{}\"", left.row.id, status.message());
        }
    }
    left_.clear();
    deps_.executor.for_each(static_cast<std::size_t>(deps_.disks.count()),
                            [&](std::size_t i) { put_aside(static_cast<int>(i)); });
}

// ---- files that no row knows

Status Recovery::put_aside_from(Disk& disk, const std::string& directory) {
    TRY_ASSIGN(const auto names, disk.list(directory));
    bool moved = false;
    for (const std::string& name : names) {
        if (stopping_) break;
        const auto shard = parse_shard_name(name);
        // Volumes being made are in the map before their files are there.
        if (!shard.ok() || deps_.volumes.find(shard->id) != nullptr) continue;
        TRY(disk.make_dir(kLostDir));
        TRY(disk.rename(fmt::format("{}/{}", directory, name),
                        fmt::format("{}/{}", kLostDir, name)));
        deps_.log.warn("event=put_aside disk={} file={}/{}", disk.name(), directory, name);
        moved = true;
    }
    if (!moved) return {};
    TRY(disk.sync_dir(kLostDir));
    TRY(disk.sync_dir(""));
    return disk.sync_dir(directory);
}

void Recovery::put_aside(int index) {
    Disk* const disk = deps_.disks.disk(index);
    if (disk == nullptr) return;
    const auto directories = disk->list(kVolumesDir);
    Status status = directories.error();
    for (std::size_t i = 0; status.ok() && i < directories->size() && !stopping_; ++i) {
        std::string name = (*directories)[i];
        if (name.empty() || name.back() != '/') continue;
        name.pop_back();
        status = put_aside_from(*disk, fmt::format("{}/{}", kVolumesDir, name));
    }
    if (!status.ok()) deps_.disks.report_read_error(index, status);
}

}  // namespace objstore
