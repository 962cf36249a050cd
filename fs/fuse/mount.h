#pragma once

#include <memory>
#include <string>
#include <vector>

#include "fs/fuse/invalidator.h"
#include "fs/vfs/vfs.h"

namespace fs {

// One FUSE session that shows all buckets, at one place or more (`mount DIR`), and binds of single
// buckets (`mount BUCKET=DIR`). A process has one at most, for the kernel's sake (semantics,
// section 1). Threads: start and stop from one. What it is given must outlive it.
class Mount final {
public:
    struct At {
        std::string bucket;  // empty: all of them
        std::string directory;
    };
    struct Options {
        std::vector<At> at;      // one at least
        std::string deployment;  // its id: the mount's source is "ashlar:<id>"
        // A directory to mount at when only buckets are shown. The one above is for such ones
        // alone: nobody else may enter it. Both go at the stop.
        std::string staging;
        unsigned threads = 16;
        double timeout_seconds = 3600;
        Invalidator::Options invalidator;
    };
    struct Deps {
        Vfs& vfs;
        objstore::Engine& engine;
        const objstore::Clock& clock;
        spdlog::logger& log;
    };
    Mount(Options options, Deps deps);
    ~Mount();  // stops

    // Cleans up what a killed server left, mounts, serves. Directories are made where absent.
    // unsupported: no /dev/fuse, or a bind is not allowed here. After an error nothing is mounted.
    Status start();
    // Writes back what programs have mapped, unmounts, cuts off who still uses it. Safe to repeat.
    void stop();
    Invalidator::Stats stats() const;

private:
    struct State;
    Status mount_session();
    Status bind_buckets();
    int unmount_all();
    void raise_read_ahead();

    const Options options_;
    const Deps deps_;
    std::unique_ptr<State> state_;
};

// Unmounts what a killed server of this deployment left: of type fuse.ashlar, with its id, and
// answering ENOTCONN. Others are left alone.
Status clean_stale_mounts(const std::string& deployment, spdlog::logger& log);

}  // namespace fs
