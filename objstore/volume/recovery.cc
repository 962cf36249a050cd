#include "objstore/volume/recovery.h"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>
#include <spdlog/logger.h>

namespace objstore {

namespace {

// How much is read at once where no header is.
constexpr std::size_t kSearchBytes = 256 * kKiB;

std::uint64_t named_end(const VolumeRow& row) {
    return std::max<std::uint64_t>(row.named_end, kSuperblockBytes);
}

auto identity(const FooterEntry& e) {
    return std::tie(e.place, e.nonce, e.header_bytes, e.column_bytes, e.payload_bytes);
}

// How many shards have a stripe.
struct Candidate {
    FooterEntry entry;
    int shards = 0;
};

// The stripes of all shards, by place, each once.
std::vector<Candidate> merge(std::vector<FooterEntry> entries) {
    std::ranges::sort(entries, [](const FooterEntry& a, const FooterEntry& b) {
        return identity(a) < identity(b);
    });
    std::vector<Candidate> merged;
    for (const FooterEntry& e : entries) {
        if (merged.empty() || identity(merged.back().entry) != identity(e)) {
            merged.push_back({e, 0});
        }
        ++merged.back().shards;
    }
    return merged;
}

}  // namespace

std::uint64_t Recovery::End::payload_bytes() const {
    std::uint64_t sum = 0;
    for (const FooterEntry& e : index) sum += e.payload_bytes;
    return sum;
}

// ---- shard files as they are found

int Recovery::disk_of(const VolumeRow& row, int shard) const {
    return deps_.disks.find(row.disks.at(static_cast<std::size_t>(shard)));
}

Result<std::unique_ptr<File>> Recovery::open(const VolumeRow& row, int shard, OpenMode mode) {
    const int index = disk_of(row, shard);
    Disk* const disk = index < 0 ? nullptr : deps_.disks.disk(index);
    if (disk == nullptr) return Status::unavailable("the disk is absent");
    return disk->open(shard_path(row.id, shard), mode);
}

// Who is not sure that a file is the volume's, and that it may be written, leaves it alone.
Status Recovery::check_superblock(const VolumeRow& row, int shard, const File& file) const {
    TRY_ASSIGN(const Superblock s, read_superblock(file));
    if (s.volume != row.id || s.shard != shard || s.deployment != deps_.deployment ||
        Geometry{s.data, s.parity} != row.geometry) {
        return Status::corruption(fmt::format(
            "is another file's copy: shard {} of volume {:016x}, deployment {:016x}{:016x}",
            s.shard,
            s.volume,
            s.deployment[0],
            s.deployment[1]));
    }
    if (s.ro_compatible == 0) return {};
    return Status::permission_denied(
        fmt::format("has features ({:#x}) that this version may only read; start the newer version",
                    s.ro_compatible));
}

Status Recovery::begin(const std::vector<VolumeRow>& rows) {
    for (const VolumeRow& row : rows) {
        if (row.state != VolumeState::open || row.node != deps_.node) continue;
        for (int shard = 0; shard < row.geometry.shards(); ++shard) {
            const auto file = open(row, shard, OpenMode::read);
            if (!file.ok()) continue;
            Status status = check_superblock(row, shard, **file);
            if (status.code() != Code::unsupported) continue;
            return std::move(status).with_context(fmt::format(
                "{}: written by a newer version, start that", shard_path(row.id, shard)));
        }
        left_.push_back(row);
    }
    return {};
}

Status Recovery::look_at(const VolumeRow& row, int shard, Shard& found) {
    TRY_ASSIGN(const auto file, open(row, shard, OpenMode::read));
    TRY(check_superblock(row, shard, *file));
    TRY_ASSIGN(found.size, file->size());
    auto footer = read_footer(*file, found.size);
    if (footer.ok() && footer->trailer.volume == row.id && footer->trailer.shard == shard) {
        found.footer = std::move(footer).value();
    } else if (!footer.ok() && footer.code() != Code::not_found) {
        return footer.error();
    }
    const std::uint64_t length = found.footer ? found.footer->trailer.length : found.size;
    if (length >= named_end(row)) return {};
    return Status::corruption(fmt::format("{} bytes of {}", length, named_end(row)));
}

Result<std::vector<Recovery::Shard>> Recovery::look(const VolumeRow& row) {
    std::vector<Shard> shards(static_cast<std::size_t>(row.geometry.shards()));
    deps_.executor.for_each(shards.size(), [&](std::size_t i) {
        shards[i].status = look_at(row, static_cast<int>(i), shards[i]);
    });
    Status first;
    for (std::size_t i = 0; i < shards.size(); ++i) {
        if (shards[i].status.ok()) continue;
        const int shard = static_cast<int>(i);
        Status status = Status(shards[i].status).with_context(shard_path(row.id, shard));
        const int disk = disk_of(row, shard);
        if (disk >= 0 && deps_.disks.disk(disk) != nullptr) {
            deps_.disks.report_read_error(disk, status);
        }
        if (first.ok()) first = std::move(status);
    }
    if (!first.ok()) return first;
    return shards;
}

// ---- where a volume ends

Result<Recovery::End> Recovery::find_end(const VolumeRow& row, const std::vector<Shard>& shards) {
    const Footer* known = nullptr;
    for (const Shard& shard : shards) {
        if (!shard.footer) continue;
        const Footer& footer = *shard.footer;
        if (known == nullptr) known = &footer;
        if (footer.trailer.length != known->trailer.length ||
            footer.trailer.index_crc != known->trailer.index_crc) {
            return Status::corruption("the footers of its shards disagree");
        }
    }
    if (known != nullptr) return End{known->trailer.length, known->index};
    TRY_ASSIGN(auto index, walk_all(row, shards));
    const std::uint64_t last = index.empty() ? 0 : index.back().end();
    return End{std::max(named_end(row), last), std::move(index)};
}

// The stripes whose headers a shard has. What garbage lies between is passed over.
Result<Recovery::Index> Recovery::walk(const VolumeRow& row, int shard, std::uint64_t size) {
    TRY_ASSIGN(const auto file, open(row, shard, OpenMode::read));
    Index index;
    Buffer memory(kSearchBytes);
    std::uint64_t at = kSuperblockBytes;
    bool found = true;
    while (at < size) {
        if (stopping_) return Status::cancelled("stopping");
        const std::size_t wanted = found ? kBlockBytes : kSearchBytes;
        TRY_ASSIGN(const std::size_t got, file->read_some_at(at, memory.span().first(wanted)));
        if (got < sizeof(StripePrologue)) break;
        const Bytes window = memory.span().first(got);
        found = false;
        std::size_t step = 0;
        for (; !found && step + sizeof(StripePrologue) <= got; step += kBlockBytes) {
            const auto p = StripeHeader::parse_prologue(window.subspan(step));
            if (!p.ok() || p->volume != row.id || p->shard != shard || p->place != at + step ||
                p->place + p->stripe_bytes > size || index.size() >= kStripesMax) {
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

// Below named_end one header is enough, since the others may have rotted. What a stripe there has
// not been acknowledged is garbage that the namespace does not name. Past it, stripes were
// acknowledged only if the namespace lost that, and then all shards have them: `data` will do.
Result<Recovery::Index> Recovery::walk_all(const VolumeRow& row, const std::vector<Shard>& shards) {
    std::vector<Result<Index>> found(shards.size(), Result<Index>(Index()));
    deps_.executor.for_each(shards.size(), [&](std::size_t i) {
        found[i] = walk(row, static_cast<int>(i), shards[i].size);
    });
    if (stopping_) return Status::cancelled("stopping");
    Index all;
    int bad = 0;
    for (std::size_t i = 0; i < found.size(); ++i) {
        if (found[i].ok()) {
            all.insert(all.end(), found[i]->begin(), found[i]->end());
            continue;
        }
        deps_.disks.report_read_error(disk_of(row, static_cast<int>(i)), found[i].error());
        if (++bad > row.geometry.parity) return found[i].error();
    }
    Index index;
    int last_shards = 0;
    for (const Candidate& candidate : merge(std::move(all))) {
        const FooterEntry& e = candidate.entry;
        if (e.end() > named_end(row) && candidate.shards < row.geometry.data) continue;
        if (!index.empty() && e.place < index.back().end()) {
            // Only one of them was ever there: more shards know better.
            if (candidate.shards <= last_shards) continue;
            index.pop_back();
        }
        index.push_back(e);
        last_shards = candidate.shards;
    }
    return index;
}

// ---- bringing it there

Status Recovery::write_footers(const VolumeRow& row,
                               const std::vector<Shard>& shards,
                               const End& end) {
    std::array<Status, kShardsMax> statuses;
    deps_.executor.for_each(shards.size(), [&](std::size_t i) {
        if (shards[i].footer) return;
        const int shard = static_cast<int>(i);
        auto file = open(row, shard, OpenMode::write);
        if (!file.ok()) {
            statuses.at(i) = std::move(file).error();
            return;
        }
        ShardFile writer(std::move(file).value(), deps_.disks, disk_of(row, shard));
        const FooterFields fields{.volume = row.id, .shard = shard, .length = end.length};
        statuses.at(i) = write_footer(writer, fields, end.index);
    });
    for (Status& status : statuses) TRY(std::move(status));
    return {};
}

Status Recovery::recover(const VolumeRow& row) {
    // The namespace's bytes come from a disk too.
    if (row.named_end % kBlockBytes != 0 || row.named_end > UINT64_MAX / 4) {
        return Status::corruption(fmt::format("impossible end of named bytes, {}", row.named_end));
    }
    // With shards missing nothing is cut or written: whoever finds them again finds all as it was.
    TRY_ASSIGN(const auto shards, look(row));
    TRY_ASSIGN(const End end, find_end(row, shards));
    TRY(write_footers(row, shards, end));
    TRY(deps_.catalog.seal_volume(row.id, end.length, end.payload_bytes()));
    deps_.log.info("event=volume_recovered volume={:016x} length={}", row.id, end.length);
    return {};
}

void Recovery::finish() {
    for (const VolumeRow& row : left_) {
        if (stopping_) return;
        const Status status = recover(row);
        if (status.ok() || status.code() == Code::cancelled) continue;
        deps_.log.warn("event=not_recovered volume={:016x} error=\"{}\"", row.id, status.message());
    }
    left_.clear();
}

}  // namespace objstore
