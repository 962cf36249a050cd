#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "objstore/disk/disk.h"

namespace tests {

// A disk whose calls wait while it is told to stall, as those of one that hangs do; what it has is
// another's. Files opened through it stall too. Calls that wait go on when it is released, which
// its destructor does. Threads: any.
class StallingDisk final : public objstore::Disk {
public:
    explicit StallingDisk(objstore::Disk& disk) : disk_(disk) {}
    ~StallingDisk() override { release(); }

    void stall();
    void release();
    // Until so many calls wait.
    void await_stalled(std::size_t calls);

    const std::string& name() const override { return disk_.name(); }
    objstore::Result<std::unique_ptr<objstore::File>> open(std::string_view path,
                                                           objstore::OpenMode mode) override;
    objstore::Status make_dir(std::string_view path) override;
    objstore::Status sync_dir(std::string_view path) override;
    objstore::Status rename(std::string_view from, std::string_view to) override;
    objstore::Status remove(std::string_view path) override;
    objstore::Result<std::vector<std::string>> list(std::string_view path) override;
    objstore::Result<objstore::DiskSpace> space() override;

private:
    friend class StallingFile;
    // Shared with the files.
    struct Gate {
        std::mutex mutex;
        std::condition_variable changed;
        bool closed = false;
        std::size_t waiting = 0;
        void pass();
        bool is_closed();
    };
    objstore::Disk& disk_;
    const std::shared_ptr<Gate> gate_ = std::make_shared<Gate>();
};

}  // namespace tests
