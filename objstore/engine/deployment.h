#pragma once

#include <memory>
#include <vector>

#include "objstore/base/clock.h"
#include "objstore/base/executor.h"
#include "objstore/disk/disk.h"
#include "objstore/disk/label.h"
#include "objstore/engine/local_engine.h"
#include "objstore/meta/meta_store.h"
#include "objstore/volume/volume_store.h"

namespace objstore {

// A deployment opened from its disks: labels, namespace, volumes, engine, in that order, and closed
// in the reverse. Threads: open and stop from one, the engine from any. What it is given must
// outlive it.
class Deployment final {
public:
    struct Options {
        LocalEngine::Options engine;
        VolumeStore::Options volumes;  // geometry and ids are chosen here
        std::size_t cache_bytes = 48 * kMiB;
    };
    struct Deps {
        std::vector<Disk*> disks;
        Executor& executor;
        Random& random;
        const Clock& clock;
        spdlog::logger& log;
    };
    // Makes a new deployment of empty disks. Refuses, with a sentence for the operator, what
    // open_or_format refuses, and a start without the disk that has the namespace or with more than
    // `parity` disks missing.
    static Result<std::unique_ptr<Deployment>> open(Options options, Deps deps);
    ~Deployment();  // stops

    Engine& engine() { return *engine_; }
    // 32 hexadecimal digits, for ever.
    std::string id() const { return to_string(set_.deployment); }
    bool is_new() const { return set_.formatted; }
    const DeploymentDisks& disks() const { return set_; }
    Geometry geometry() const { return geometry_; }
    Status stop();

private:
    class Catalog;
    Deployment(Options options, Deps deps);

    Status check_missing() const;
    Status check_unused(const Disk& home) const;
    Status open_namespace();
    Status open_volumes();

    Options options_;
    Deps deps_;
    DeploymentDisks set_;
    Geometry geometry_;
    std::unique_ptr<MetaStore> meta_;
    std::unique_ptr<Catalog> catalog_;
    std::unique_ptr<VolumeStore> volumes_;
    std::unique_ptr<LocalEngine> engine_;
};

}  // namespace objstore
