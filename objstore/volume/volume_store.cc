#include "objstore/volume/volume_store.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "objstore/volume/appender.h"
#include "objstore/volume/recovery.h"
#include "objstore/volume/strays.h"
#include "objstore/volume/stream_writer.h"

namespace objstore {

namespace {

// How many columns of one length fit on disks with so much space, `width` of them on different
// disks at a time.
std::uint64_t column_space(std::vector<std::uint64_t> disks, std::size_t width) {
    if (disks.size() < width || width == 0) return 0;
    std::ranges::sort(disks);
    std::uint64_t sum = 0;
    for (const std::uint64_t space : disks) sum += space;
    // A disk with more than its share is in every stripe; the others limit how many there are.
    while (width > 1 && disks.back() > (sum - disks.back()) / (width - 1)) {
        sum -= disks.back();
        disks.pop_back();
        --width;
    }
    return sum / width;
}

Status check(const VolumeStore::Options& options, const VolumeStore::Deps& deps) {
    std::set<DiskId> ids;
    for (const VolumeDisk& d : deps.disks) {
        if (d.id == 0 || !ids.insert(d.id).second) {
            return Status::invalid_argument("disks need different ids");
        }
    }
    if (!options.geometry.valid() || deps.disks.empty() || options.stream_volumes_max < 1) {
        return Status::invalid_argument("impossible geometry or no disks");
    }
    return {};
}

std::array<std::uint64_t, 2> deployment(const VolumeStore::Options& options) {
    return {options.deployment[0], options.deployment[1]};
}

class Store final : public VolumeStore {
public:
    Store(const Options& options, const Deps& deps);
    ~Store() override;

    Status start(const std::vector<VolumeRow>& rows);
    Result<std::vector<std::vector<Extent>>> append(std::span<const Piece> pieces) override {
        return appender_.append(pieces);
    }
    Result<std::unique_ptr<VolumeStream>> open_stream(Owner owner,
                                                      std::uint64_t size_hint) override;
    Status read(const Extent& extent, std::uint64_t offset, MutableBytes out) override {
        return reader_.read(extent, offset, out);
    }
    bool try_read(const Extent& extent, std::uint64_t offset, MutableBytes out) override {
        return reader_.try_read(extent, offset, out);
    }
    std::vector<DiskHealth> health() const override { return disks_.health(); }
    DiskSpace space() override;
    Status stop() override;

private:
    const Options options_;
    Executor& executor_;
    Random& random_;
    DiskSet disks_;
    VolumeMap volumes_;
    FileCache files_;
    BufferPool buffers_;
    BufferBudget budget_;
    Background background_;
    StripeOrder order_;
    VolumePool pool_;
    StripeReader reader_;
    Appender appender_;
    Strays strays_;
    Recovery recovery_;
};

Store::Store(const Options& options, const Deps& deps)
    : options_(options),
      executor_(deps.executor),
      random_(deps.random),
      disks_(deps.disks,
             {.reserve_bytes = options.reserve_bytes, .room_bytes = options.allocate_bytes / 8},
             deps.clock,
             deps.log),
      volumes_(disks_),
      files_(options.open_files_max),
      buffers_(options.buffer_bytes_max / 4),  // what a burst needed is not kept for ever
      budget_(options.buffer_bytes_max),
      background_(deps.executor),
      order_(deps.clock, deps.catalog, options.order_after),
      pool_(
          {.geometry = options.geometry,
           .limits = {options.shard_bytes_max, options.allocate_bytes},
           .node = options.node,
           .deployment = deployment(options)},
          {volumes_, disks_, files_, deps.executor, deps.random, deps.clock, deps.catalog, order_},
          options.stream_volumes_max,
          {disks_, background_, deps.log}),
      reader_({volumes_, disks_, files_, deps.executor}),
      appender_({pool_, buffers_, deps.random, disks_}),
      strays_({volumes_, disks_, deps.executor, deps.log, deployment(options)}),
      recovery_({volumes_,
                 disks_,
                 deps.executor,
                 deps.catalog,
                 deps.log,
                 options.node,
                 deployment(options)}) {}

Store::~Store() {
    recovery_.stop();
    background_.wait_all();
}

Status Store::start(const std::vector<VolumeRow>& rows) {
    for (const VolumeRow& row : rows) {
        if (row.id == 0 || !row.geometry.valid() || row.code != 1 || row.checksum != 1) {
            return Status::unsupported(fmt::format("volume {:016x}: unknown kind", row.id));
        }
        if (volumes_.add(row) == nullptr) {
            return Status::corruption(fmt::format("volume {:016x} is listed twice", row.id));
        }
    }
    executor_.for_each(static_cast<std::size_t>(disks_.count()), [&](std::size_t i) {
        const int index = static_cast<int>(i);
        Disk* const disk = disks_.disk(index);
        if (disk == nullptr) return;
        Status status = disk->make_dir(kVolumesDir);
        if (status.ok()) status = disk->sync_dir("");
        if (!status.ok()) disks_.report_write_error(index, status);
    });
    TRY(strays_.find());
    TRY(recovery_.begin(rows));
    strays_.settle();
    background_.run([this] { recovery_.finish(); });
    return {};
}

Result<std::unique_ptr<VolumeStream>> Store::open_stream(Owner owner, std::uint64_t size_hint) {
    const StreamWriter::Deps deps{pool_, reader_, buffers_, budget_, executor_, random_, disks_};
    const StreamWriter::Options options{options_.geometry, options_.stream_sync_bytes};
    return std::unique_ptr<VolumeStream>(
        std::make_unique<StreamWriter>(options, deps, owner, size_hint));
}

DiskSpace Store::space() {
    std::vector<std::uint64_t> free_bytes;
    std::vector<std::uint64_t> total_bytes;
    int well = 0;
    for (int i = 0; i < disks_.count(); ++i) {
        Disk* const disk = disks_.disk(i);
        const auto space =
            disk == nullptr ? Result<DiskSpace>(Status::unavailable("absent")) : disk->space();
        if (!space.ok()) continue;
        total_bytes.push_back(space->total_bytes);
        if (!disks_.writable(i)) continue;
        ++well;
        free_bytes.push_back(space->free_bytes -
                             std::min(space->free_bytes, options_.reserve_bytes));
    }
    // As the next volume would be: narrower when disks are out.
    Geometry geometry = options_.geometry;
    if (well < geometry.shards() && well > geometry.parity) {
        geometry.data = static_cast<std::uint8_t>(well - geometry.parity);
    }
    const auto width = static_cast<std::size_t>(geometry.shards());
    return {.total_bytes = column_space(total_bytes, width) * geometry.data,
            .free_bytes = column_space(free_bytes, width) * geometry.data};
}

Status Store::stop() {
    recovery_.stop();
    pool_.stop();
    background_.wait_all();
    // Else the next start goes on some minutes ahead.
    static_cast<void>(order_.stop());
    return {};
}

}  // namespace

Result<std::unique_ptr<VolumeStore>> VolumeStore::open(Options options,
                                                       const Deps& deps,
                                                       const std::vector<VolumeRow>& rows) {
    TRY(check(options, deps));
    auto store = std::make_unique<Store>(options, deps);
    TRY(store->start(rows));
    return std::unique_ptr<VolumeStore>(std::move(store));
}

}  // namespace objstore
