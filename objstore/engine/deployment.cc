#include "objstore/engine/deployment.h"

#include <set>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "objstore/base/number.h"

namespace objstore {

namespace {

constexpr const char* kNamespacePath = "meta/namespace.db";  // as SQLite knows it
constexpr const char* kOrderName = "volume.order";

}  // namespace

// The namespace is the list of volumes.
class Deployment::Catalog final : public VolumeCatalog {
public:
    explicit Catalog(MetaStore& meta) : meta_(meta) {}

    Status add_volume(const VolumeRow& row) override {
        return meta_.commit(AddVolumeOp{row}).status;
    }
    Status seal_volume(VolumeId id, std::uint64_t length, std::uint64_t payload_bytes) override {
        return meta_.commit(SealVolumeOp{id, length, payload_bytes}, false).status;
    }
    Status reserve_order(std::uint64_t number) override {
        return meta_.commit(SetSettingOp{kOrderName, fmt::format("{}", number)}).status;
    }
    Result<std::uint64_t> order() const {
        const auto text = meta_.setting(kOrderName);
        if (text.code() == Code::not_found) return std::uint64_t{0};
        if (!text.ok()) return text.error();
        const auto number = parse_number<std::uint64_t>(*text);
        // The clock's numbers end there too.
        if (number && *number <= INT64_MAX) return *number;
        return Status::corruption(fmt::format("setting {}: \"{}\"", kOrderName, *text));
    }

private:
    MetaStore& meta_;
};

Deployment::Deployment(Options options, Deps deps)
    : options_(std::move(options)), deps_(std::move(deps)) {}

Deployment::~Deployment() {
    static_cast<void>(stop());
}

Result<std::unique_ptr<Deployment>> Deployment::open(Options options, Deps deps) {
    std::unique_ptr<Deployment> self(new Deployment(std::move(options), std::move(deps)));
    TRY_ASSIGN(self->set_,
               open_or_format(self->deps_.disks, self->deps_.random, self->deps_.clock));
    if (self->set_.read_only) {
        return Status::unsupported(
            "these disks were written by a newer version, which allows this "
            "one only to read; start that version");
    }
    self->geometry_ = default_geometry(static_cast<int>(self->set_.disk_count()));
    TRY(self->check_missing());
    TRY(self->open_namespace());
    TRY(self->open_volumes());
    LocalEngine::Deps engine_deps{
        *self->meta_, *self->volumes_, self->deps_.clock, self->deps_.log};
    self->engine_ = std::make_unique<LocalEngine>(self->options_.engine, engine_deps);
    self->mirrors_->start();
    return self;
}

Status Deployment::check_missing() const {
    std::set<std::uint64_t> here;
    for (const DiskMember& member : set_.members) {
        if (member.state == DiskState::member) here.insert(member.label->disk_id());
    }
    std::vector<std::string> missing;
    for (const LabelDisk& disk : set_.disks) {
        if (!here.contains(disk.id)) missing.push_back(describe(disk));
    }
    if (missing.size() <= geometry_.parity) return {};
    return Status::unavailable(
        fmt::format("{} of {} disks are missing, and only {} may be; give the others too: {}",
                    missing.size(),
                    set_.disk_count(),
                    geometry_.parity,
                    fmt::join(missing, ", ")));
}

// Whether this deployment never stored anything: a namespace is made then, and never again.
Status Deployment::check_unused() const {
    for (std::size_t i = 0; i < set_.members.size(); ++i) {
        if (set_.members[i].state != DiskState::member) continue;
        TRY_ASSIGN(const bool used, holds_shard_files(*deps_.disks[i]));
        if (!used) continue;
        return Status::corruption(
            fmt::format("no disk has a namespace ({}), but {} has volumes of this deployment. "
                        "Nothing was changed. Put back what was in the folder meta of the disks",
                        kMirrorRecordFile,
                        deps_.disks[i]->name()));
    }
    return {};
}

Status Deployment::open_mirrors() {
    Mirrors::Deps deps{set_.deployment,
                       {},
                       static_cast<std::uint32_t>(geometry_.parity),
                       [this] { return check_unused(); },
                       deps_.random,
                       deps_.clock,
                       deps_.log};
    for (const LabelDisk& disk : set_.disks) deps.disks.push_back({disk, nullptr});
    for (std::size_t i = 0; i < set_.members.size(); ++i) {
        const DiskMember& member = set_.members[i];
        if (member.state == DiskState::member)
            deps.disks[member.label->index].disk = deps_.disks[i];
    }
    options_.mirrors.path = kNamespacePath;
    TRY_ASSIGN(mirrors_, Mirrors::open(options_.mirrors, std::move(deps)));
    return {};
}

Status Deployment::open_namespace() {
    TRY(open_mirrors());
    const bool is_new = mirrors_->is_new();
    SqliteStore::Options options = options_.meta;
    options.path = kNamespacePath;
    options.deployment = id();
    options.create = is_new;
    options.log_is_recovered = true;
    TRY_ASSIGN(meta_, SqliteStore::open(options, {mirrors_->disk(), deps_.clock, deps_.log}));
    return is_new ? mirrors_->publish() : Status();
}

Status Deployment::open_volumes() {
    catalog_ = std::make_unique<Catalog>(*meta_);
    TRY_ASSIGN(const auto rows, meta_->volumes());
    VolumeStore::Options& options = options_.volumes;
    options.geometry = geometry_;
    TRY_ASSIGN(options.order_after, catalog_->order());
    options.deployment[0] = set_.deployment.high;
    options.deployment[1] = set_.deployment.low;
    std::vector<VolumeDisk> disks;
    for (const LabelDisk& disk : set_.disks) disks.push_back({disk.id, nullptr});
    for (std::size_t i = 0; i < set_.members.size(); ++i) {
        const DiskMember& member = set_.members[i];
        if (member.state == DiskState::member) {
            disks[member.label->index].disk = deps_.disks[i];
        }
    }
    const VolumeStore::Deps volume_deps{
        std::move(disks), *catalog_, deps_.executor, deps_.random, deps_.clock, deps_.log};
    TRY_ASSIGN(volumes_, VolumeStore::open(options, volume_deps, rows));
    return {};
}

Status Deployment::stop() {
    if (mirrors_ != nullptr) mirrors_->stop();
    if (engine_ != nullptr) return engine_->stop();
    if (volumes_ != nullptr) TRY(volumes_->stop());
    return meta_ != nullptr ? meta_->stop() : Status();
}

}  // namespace objstore
