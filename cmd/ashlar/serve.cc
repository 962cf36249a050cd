#include "cmd/ashlar/serve.h"

#include <cstdio>
#include <memory>

#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cmd/ashlar/doors.h"
#include "cmd/ashlar/log.h"
#include "cmd/ashlar/memory_trimmer.h"
#include "cmd/ashlar/service_manager.h"
#include "cmd/ashlar/signals.h"
#include "cmd/ashlar/stop_limit.h"
#include "objstore/disk/local_disk.h"

namespace cmd {

namespace {

using objstore::Code;
using objstore::Result;
using objstore::Status;

constexpr int kFailed = 1;
constexpr int kWrongUse = 2;
// Three doors with 10 s each for what runs, and time to store what waits.
constexpr std::chrono::seconds kStopMax{45};

// As many open files as allowed: volumes and clients need them.
void raise_open_files() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    static_cast<void>(setrlimit(RLIMIT_NOFILE, &limit));
}

// One of the disks must lock, or another server has them.
Result<std::vector<std::unique_ptr<objstore::LocalDisk>>> open_disks(
    const std::vector<std::string>& paths) {
    std::vector<std::unique_ptr<objstore::LocalDisk>> disks;
    for (const std::string& path : paths) {
        TRY_ASSIGN(auto disk, objstore::LocalDisk::open(path));
        TRY(disk->lock());
        disks.push_back(std::move(disk));
    }
    return disks;
}

void warn_of_missing(const objstore::Deployment& deployment,
                     const std::vector<std::string>& paths,
                     spdlog::logger& log) {
    const auto& members = deployment.disks().members;
    for (std::size_t i = 0; i < members.size(); ++i) {
        if (members[i].state == objstore::DiskState::member) continue;
        log.warn("disk is not used path={} reason=\"{}\"",
                 paths[i],
                 members[i].state == objstore::DiskState::blank ? "it is empty, and repair is not "
                                                                  "implemented yet"
                                                                : members[i].error);
    }
}

// Told before they are kept: keys that nobody saw would lock the deployment for ever.
Result<Keys> tell_keys(const ServeOptions& options,
                       objstore::Engine& engine,
                       objstore::Random& random) {
    TRY_ASSIGN(Keys keys, find_keys(options, engine, random));
    if (!keys.made_now) return keys;
    fmt::print("access key  {}\nsecret key  {}\n(made now, kept with the data, shown once)\n",
               keys.access_key,
               keys.secret_key);
    std::fflush(stdout);
    TRY(keep_keys(keys, engine));
    return keys;
}

void print_doors(const std::vector<std::string>& lines) {
    for (const std::string& line : lines) fmt::print("{}\n", line);
    std::fflush(stdout);
}

int fail(const Status& status) {
    fmt::print(stderr, "ashlar: {}\n", status.message());
    return status.code() == Code::invalid_argument ? kWrongUse : kFailed;
}

// All that can be wrong with the options, before a disk is touched.
Status check(const ServeOptions& options) {
    TRY(parse_host_port("address", options.address).error());
    if (!options.nfs.empty()) TRY(parse_host_port("nfs", options.nfs).error());
    for (const std::string& mount : options.mounts) TRY(parse_mount(mount).error());
    TRY(check_keys(options));
    TRY(parse_bucket_mode(options.bucket_mode).error());
    if (!options.bucket_owner.empty()) TRY(parse_owner(options.bucket_owner).error());
    return {};
}

Status run(const ServeOptions& options,
           const Signals& signals,
           const std::vector<std::string>& paths) {
    const auto log = make_logger(
        options.log_level, options.log_format, std::make_shared<spdlog::sinks::stderr_sink_mt>());
    // Outlives all that may hang. What was acknowledged is durable, whatever still runs.
    StopLimit stop_limit([&log](const char* at) {
        log->error("event=stop_hangs at=\"{}\" seconds={}", at, kStopMax.count());
        log->flush();
        ::_exit(kFailed);
    });
    const MemoryTrimmer trimmer;
    objstore::SystemClock clock;
    objstore::SystemRandom random;
    objstore::ThreadPool pool({.threads = 16, .name = "disks"});
    TRY_ASSIGN(const auto disks, open_disks(paths));
    objstore::Deployment::Deps deps{{}, pool, random, clock, *log};
    for (const auto& disk : disks) deps.disks.push_back(disk.get());
    TRY_ASSIGN(const auto deployment, objstore::Deployment::open({}, deps));
    warn_of_missing(*deployment, paths, *log);
    TRY_ASSIGN(const Keys keys, tell_keys(options, deployment->engine(), random));
    Doors doors(options, keys, {*deployment, clock, random, log, stop_limit});
    TRY(doors.open());
    print_doors(doors.lines());
    notify_ready();
    signals.wait();
    notify_stopping();
    stop_limit.start(kStopMax);
    Status stored = doors.close();
    TRY(deployment->stop());
    return std::move(stored).with_context("stop");
}

}  // namespace

int serve(const ServeOptions& options) {
    const Status checked = check(options);
    if (!checked.ok()) return fail(checked);
    const auto paths = expand_disks(options.disks);
    if (!paths.ok()) return fail(paths.error());
    const Signals signals;
    raise_open_files();
    try {
        const Status done = run(options, signals, *paths);
        return done.ok() ? 0 : fail(done);
    } catch (const std::exception& e) {
        fmt::print(stderr, "ashlar: {}\n", e.what());
        return kFailed;
    }
}

}  // namespace cmd
