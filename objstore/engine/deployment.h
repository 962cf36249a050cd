#pragma once

#include <memory>
#include <vector>

#include "objstore/base/clock.h"
#include "objstore/base/executor.h"
#include "objstore/disk/disk.h"
#include "objstore/disk/label.h"
#include "objstore/engine/local_engine.h"
#include "objstore/meta/sqlite_store.h"
#include "objstore/mirror/mirrors.h"
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
        SqliteStore::Options meta;     // what concerns its files is chosen here
        Mirrors::Options mirrors;      // likewise
    };
    struct Deps {
        std::vector<Disk*> disks;
        Executor& executor;
        Random& random;
        const Clock& clock;
        spdlog::logger& log;
    };
    // Makes a new deployment of empty disks. Refuses, with a sentence for the operator, what
    // open_or_format refuses, a start with more than `parity` disks missing, and one without a
    // whole copy of the newest namespace.
    static Result<std::unique_ptr<Deployment>> open(Options options, Deps deps);
    ~Deployment();  // stops

    Engine& engine() { return *engine_; }
    // 32 hexadecimal digits, for ever.
    std::string id() const { return to_string(set_.deployment); }
    bool is_new() const { return set_.formatted; }
    const DeploymentDisks& disks() const { return set_; }
    Geometry geometry() const { return geometry_; }
    Mirrors::Info mirrors() const { return mirrors_->info(); }
    Status stop();

private:
    class Catalog;
    Deployment(Options options, Deps deps);

    Status check_missing() const;
    Status check_unused() const;
    Status open_mirrors();
    Status open_namespace();
    Status open_volumes();

    Options options_;
    Deps deps_;
    DeploymentDisks set_;
    Geometry geometry_;
    std::unique_ptr<Mirrors> mirrors_;
    std::unique_ptr<MetaStore> meta_;
    std::unique_ptr<Catalog> catalog_;
    std::unique_ptr<VolumeStore> volumes_;
    std::unique_ptr<LocalEngine> engine_;
};

}  // namespace objstore
