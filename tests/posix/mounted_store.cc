#include "tests/posix/mounted_store.h"

#include <cstdlib>
#include <filesystem>
#include <stdexcept>

#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <unistd.h>

namespace tests {

using objstore::Status;

MountedStore::MountedStore(Options options)
    : options_(std::move(options)), executor_(objstore::ThreadPool::Options{}) {
    std::string pattern = (std::filesystem::temp_directory_path() / "ashlar-posix-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
    root_ = pattern;
    std::filesystem::create_directory(local_dir());
    log_ =
        std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    log_->set_level(spdlog::level::warn);
}

MountedStore::~MountedStore() {
    close();
    // Never across a mount that would not go.
    std::error_code error;
    if (std::filesystem::is_empty(mount_dir(), error)) std::filesystem::remove_all(root_, error);
}

std::string MountedStore::cannot_mount() {
    if (::access("/dev/fuse", R_OK | W_OK) != 0) return "/dev/fuse is not there or not for us";
    if (::geteuid() != 0 && ::access("/usr/bin/fusermount3", X_OK) != 0) return "no fusermount3";
    return {};
}

std::string MountedStore::bucket_dir() const {
    return options_.mount_bucket ? root_ + "/bucket" : mount_dir() + "/b";
}

Status MountedStore::open() {
    objstore::Deployment::Deps deps{{}, executor_, random_, clock_, *log_};
    disks_.clear();
    for (std::size_t i = 1; i <= options_.disks; ++i) {
        TRY_ASSIGN(auto disk, objstore::LocalDisk::open(fmt::format("{}/disks/d{}", root_, i)));
        deps.disks.push_back(disk.get());
        disks_.push_back(std::move(disk));
    }
    TRY_ASSIGN(deployment_, objstore::Deployment::open({}, std::move(deps)));
    vfs_ = std::make_unique<fs::LocalVfs>(options_.vfs,
                                          fs::LocalVfs::Deps{engine(), clock_, random_, *log_});
    if (deployment_->is_new()) {
        objstore::CreateBucketOp op;
        op.bucket.name = "b";
        op.bucket.created = clock_.now();
        TRY(engine().apply(std::move(op), {}).error());
    }
    fs::Mount::Options mount;
    mount.deployment = deployment_->id();
    mount.invalidator = options_.invalidator;
    mount.staging = root_ + "/run/" + deployment_->id();
    mount.at = {
        {options_.mount_bucket ? "b" : "", options_.mount_bucket ? bucket_dir() : mount_dir()}};
    mount_ = std::make_unique<fs::Mount>(mount, fs::Mount::Deps{*vfs_, engine(), clock_, *log_});
    return mount_->start();
}

void MountedStore::close() {
    mount_.reset();
    vfs_.reset();
    deployment_.reset();
    disks_.clear();
}

}  // namespace tests
