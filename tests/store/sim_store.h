#pragma once

#include <memory>
#include <string>

#include <spdlog/logger.h>

#include "objstore/engine/deployment.h"
#include "tests/sim/sim_disk.h"

namespace tests {

// A whole deployment on simulated disks, with calls that tests like. The bucket "b" is made on the
// first opening. Threads: one.
class SimStore final {
public:
    struct Options {
        std::uint64_t seed = 1;
        std::size_t disks = 6;
        bool open = true;  // false: the test opens
        // How long inline bytes wait for the mover.
        std::chrono::milliseconds pack_after{1000};
    };
    explicit SimStore(Options options);
    ~SimStore();

    // Opens the deployment from the disks as they are.
    objstore::Status open();
    void close();
    bool is_open() const { return deployment_ != nullptr; }

    SimWorld& world() { return world_; }
    objstore::Engine& engine() { return deployment_->engine(); }
    objstore::Deployment& deployment() { return *deployment_; }
    objstore::InodeId bucket() const { return bucket_; }

    void cut_power_after(std::uint64_t operations) { world_.cut_power_after(operations); }
    bool power_was_cut() const { return world_.power_was_cut(); }
    // Power comes back and the deployment is opened again; what that says.
    objstore::Status power_cycle();

    objstore::Status put(const std::string& key, const std::string& bytes);
    objstore::Result<std::string> read(const std::string& key);
    objstore::Status remove(const std::string& key);

    // The database files of the namespace on all disks, mirrors or stale.
    struct NamespaceFile {
        SimDisk* disk = nullptr;
        std::string path;
    };
    std::vector<NamespaceFile> namespace_files();

private:
    objstore::Status find_bucket();

    const Options options_;
    SimWorld world_;
    objstore::SystemClock clock_;
    SimRandom random_;
    objstore::ThreadPool pool_{{.threads = 4}};
    std::shared_ptr<spdlog::logger> log_;
    std::unique_ptr<objstore::Deployment> deployment_;
    objstore::InodeId bucket_ = 0;
};

// Bytes that differ for each seed.
std::string some_bytes(std::size_t size, std::uint64_t seed);

}  // namespace tests
