#pragma once

#include <memory>
#include <string>
#include <vector>

#include <spdlog/logger.h>

#include "fs/fuse/mount.h"
#include "fs/vfs/local_vfs.h"
#include "objstore/disk/local_disk.h"
#include "objstore/engine/deployment.h"

namespace tests {

// A deployment on directories of this machine, mounted: the bucket "b" is made on the first
// opening. All of it goes with the object. Threads: one.
class MountedStore final {
public:
    struct Options {
        std::size_t disks = 6;
        fs::LocalVfs::Options vfs;
        fs::Invalidator::Options invalidator;
        bool mount_bucket = false;  // "b" alone, by a bind
    };
    explicit MountedStore(Options options);
    ~MountedStore();

    // Why nothing can be mounted here; empty when it can.
    static std::string cannot_mount();

    objstore::Status open();
    void close();

    objstore::Engine& engine() { return deployment_->engine(); }
    fs::Vfs& vfs() { return *vfs_; }
    fs::Mount& mount() { return *mount_; }
    // Where the bucket is seen, and a directory of the machine's own file system to compare with.
    std::string bucket_dir() const;
    std::string local_dir() const { return root_ + "/local"; }
    std::string mount_dir() const { return root_ + "/mnt"; }
    const std::string& root() const { return root_; }

private:
    const Options options_;
    std::string root_;
    std::shared_ptr<spdlog::logger> log_;
    objstore::SystemClock clock_;
    objstore::SystemRandom random_;
    objstore::ThreadPool executor_;
    std::vector<std::unique_ptr<objstore::LocalDisk>> disks_;
    std::unique_ptr<objstore::Deployment> deployment_;
    std::unique_ptr<fs::LocalVfs> vfs_;
    std::unique_ptr<fs::Mount> mount_;
};

}  // namespace tests
