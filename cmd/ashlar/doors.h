#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <spdlog/logger.h>

#include "cmd/ashlar/keys.h"
#include "cmd/ashlar/serve_options.h"
#include "cmd/ashlar/stop_limit.h"
#include "fs/fuse/mount.h"
#include "fs/vfs/local_vfs.h"
#include "nfs/server.h"
#include "objstore/engine/deployment.h"
#include "s3api/ops/context.h"
#include "s3api/server.h"

namespace cmd {

// The doors of one deployment: S3 always, NFS and mounts when asked for. Threads: one.
class Doors final {
public:
    struct Deps {
        objstore::Deployment& deployment;
        const objstore::Clock& clock;
        objstore::Random& random;
        std::shared_ptr<spdlog::logger> log;  // loggers are shared by their nature
        StopLimit& stop_limit;                // is told what `close` is at
    };
    Doors(const ServeOptions& options, Keys keys, Deps deps);
    ~Doors();  // closes

    // Opens all, S3 first, which says that it is not ready until all are open. After an error some
    // may be open; `close` closes them.
    objstore::Status open();
    // One line for each open door: its kind and where it is.
    const std::vector<std::string>& lines() const { return lines_; }
    // Finishes what runs and stores what waits in memory, which needs the deployment. An error:
    // bytes that a mount was told are written could not be stored. Safe to repeat.
    objstore::Status close();

private:
    class Credentials;

    objstore::Status open_s3();
    objstore::Status open_nfs();
    objstore::Status open_mounts();

    const ServeOptions& options_;
    Deps deps_;
    std::unique_ptr<Credentials> credentials_;
    s3api::OpContext context_;
    fs::LocalVfs vfs_;
    std::unique_ptr<s3api::Server> s3_;
    std::unique_ptr<nfs::Server> nfs_;
    std::unique_ptr<fs::Mount> mount_;
    std::vector<std::string> lines_;
};

}  // namespace cmd
