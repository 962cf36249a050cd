#include "objstore/engine/deployment.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "objstore/meta/sqlite_store.h"

namespace objstore {

namespace {

constexpr const char* kNamespacePath = "meta/namespace.db";

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
    const std::size_t missing = self->set_.disk_count() - self->set_.member_count();
    if (missing > self->geometry_.parity) {
        return Status::unavailable(
            fmt::format("{} of {} disks are missing, and only {} may be; give the others too",
                        missing,
                        self->set_.disk_count(),
                        self->geometry_.parity));
    }
    TRY(self->open_namespace());
    TRY(self->open_volumes());
    LocalEngine::Deps engine_deps{
        *self->meta_, *self->volumes_, self->deps_.clock, self->deps_.log};
    self->engine_ = std::make_unique<LocalEngine>(self->options_.engine, engine_deps);
    return self;
}

// On the first disk of the deployment; mirrors of it are yet to come.
Status Deployment::open_namespace() {
    for (std::size_t i = 0; i < set_.members.size(); ++i) {
        const DiskMember& member = set_.members[i];
        if (member.state != DiskState::member || member.label->index != 0) continue;
        const SqliteStore::Options options{.path = kNamespacePath,
                                           .cache_bytes = options_.cache_bytes};
        const SqliteStore::Deps deps{*deps_.disks[i], deps_.clock, deps_.log};
        TRY_ASSIGN(meta_, SqliteStore::open(options, deps));
        return {};
    }
    return Status::unavailable(fmt::format(
        "disk {:016x}, which has the namespace, is missing; give it too", set_.disk_ids.front()));
}

Status Deployment::open_volumes() {
    catalog_ = std::make_unique<Catalog>(*meta_);
    TRY_ASSIGN(const auto rows, meta_->volumes());
    VolumeStore::Options& options = options_.volumes;
    options.geometry = geometry_;
    options.deployment[0] = set_.deployment.high;
    options.deployment[1] = set_.deployment.low;
    std::vector<VolumeDisk> disks;
    for (const std::uint64_t id : set_.disk_ids) disks.push_back({id, nullptr});
    for (std::size_t i = 0; i < set_.members.size(); ++i) {
        const DiskMember& member = set_.members[i];
        if (member.state == DiskState::member) {
            disks[member.label->index].disk = deps_.disks[i];
        }
    }
    VolumeStore::Deps volume_deps{
        std::move(disks), *catalog_, deps_.executor, deps_.random, deps_.clock, deps_.log};
    TRY_ASSIGN(volumes_, VolumeStore::open(options, std::move(volume_deps), rows));
    return {};
}

Status Deployment::stop() {
    if (engine_ != nullptr) return engine_->stop();
    if (volumes_ != nullptr) TRY(volumes_->stop());
    return meta_ != nullptr ? meta_->stop() : Status();
}

}  // namespace objstore
