#include "fs/fuse/mount.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "fs/fuse/mount_table.h"
#include "fs/fuse/request_loop.h"
#include "fs/fuse/session.h"
#include "objstore/base/named_thread.h"

namespace fs {
namespace {

constexpr std::string_view kType = "fuse.ashlar";

Status system_error(std::string_view what) {
    return Status::from_errno(errno, what);
}

class LibfuseCache final : public KernelCache {
public:
    LibfuseCache(fuse_session* fuse, const Session& session) : fuse_(fuse), session_(session) {}

    int forget_entry(InodeId parent, const std::string& name) override {
        // Rather expired than dropped: a directory that is still there stays its users' own.
        if (session_.can_expire) {
            return fuse_lowlevel_notify_expire_entry(
                fuse_, parent, name.c_str(), name.size(), FUSE_LL_EXPIRE_ONLY);
        }
        return fuse_lowlevel_notify_inval_entry(fuse_, parent, name.c_str(), name.size());
    }
    int forget_attributes(InodeId inode) override {
        return fuse_lowlevel_notify_inval_inode(fuse_, inode, -1, 0);
    }
    int forget_content(InodeId inode) override {
        return fuse_lowlevel_notify_inval_inode(fuse_, inode, 0, 0);
    }

private:
    fuse_session* const fuse_;
    const Session& session_;
};

struct Detach {
    void operator()(fuse_session* session) const { fuse_session_destroy(session); }
};

}  // namespace

struct Mount::State {
    State(const Options& options, const Deps& deps)
        : invalidator(options.invalidator,
                      {inodes, gate, deps.engine.names(), deps.clock, deps.log}),
          session({options.timeout_seconds}, {deps.vfs, invalidator, inodes, gate, deps.log}) {}

    KernelInodes inodes;
    ReplyGate gate;
    Invalidator invalidator;
    Session session;
    std::unique_ptr<fuse_session, Detach> fuse;
    std::unique_ptr<LibfuseCache> cache;
    std::string root;                  // where the session is mounted
    std::vector<std::string> mounted;  // all places, the root first
    std::unique_ptr<RequestLoop> loop;
    bool subscribed = false;
    bool staged = false;  // the root is the staging directory, to be removed
};

namespace {

// A mount whose server is gone. Not by stat: the kernel answers that from its cache all the same.
bool has_no_server(const std::string& path) {
    struct statfs space {};
    return ::statfs(path.c_str(), &space) != 0 && errno == ENOTCONN;
}

Status make_directory(const std::string& path) {
    std::error_code error;
    std::error_code unknown;
    std::filesystem::create_directories(path, error);
    if (has_no_server(path)) {
        return Status::unavailable(
            fmt::format("{0}: a server that is gone left a mount there; umount -l {0}", path));
    }
    if (error && !std::filesystem::is_directory(path, unknown)) {
        return Status::from_errno(error.value(), path);
    }
    return {};
}

// The session there shows all buckets to every user, but only the binds of some are asked for:
// nobody else may reach it.
Status make_private(const std::string& path) {
    TRY(make_directory(path));
    if (::chmod(path.c_str(), S_IRWXU) != 0) return system_error(path);
    return {};
}

}  // namespace

Mount::Mount(Options options, Deps deps) : options_(std::move(options)), deps_(deps) {
    ASSERT(!options_.at.empty());
    ASSERT(options_.threads > 0);
}

Mount::~Mount() {
    stop();
}

Invalidator::Stats Mount::stats() const {
    return state_ == nullptr ? Invalidator::Stats() : state_->invalidator.stats();
}

Status Mount::start() {
    ASSERT(state_ == nullptr);
    if (::access("/dev/fuse", R_OK | W_OK) != 0) {
        return Status::unsupported("no mount: /dev/fuse is not there or not for us");
    }
    TRY(clean_stale_mounts(options_.deployment, deps_.log));
    state_ = std::make_unique<State>(options_, deps_);
    Status status = mount_session();
    if (status.ok()) status = bind_buckets();
    if (!status.ok()) stop();
    return status;
}

Status Mount::mount_session() {
    State& state = *state_;
    const auto whole = std::find_if(
        options_.at.begin(), options_.at.end(), [](const At& at) { return at.bucket.empty(); });
    if (whole != options_.at.end()) {
        state.root = whole->directory;
    } else if (options_.staging.empty()) {
        return Status::invalid_argument("a mount of single buckets needs a staging directory");
    } else {
        state.root = options_.staging;
        state.staged = true;
        TRY(make_private(std::filesystem::path(state.root).parent_path()));
    }
    TRY(make_directory(state.root));
    // Only root may let other users in without asking /etc/fuse.conf.
    const std::string_view others = ::geteuid() == 0 ? ",allow_other" : "";
    const std::string mount_options =
        fmt::format("-ofsname=ashlar:{},subtype=ashlar,default_permissions,nosuid,nodev{}",
                    options_.deployment,
                    others);
    std::string program = "ashlar";
    std::string mutable_options = mount_options;
    char* arguments[] = {program.data(), mutable_options.data(), nullptr};
    fuse_args args = FUSE_ARGS_INIT(2, arguments);
    const fuse_lowlevel_ops& ops = operations();
    state.fuse.reset(fuse_session_new(&args, &ops, sizeof(ops), &state.session));
    if (state.fuse == nullptr) return Status::unsupported("libfuse refuses a session");
    if (fuse_session_mount(state.fuse.get(), state.root.c_str()) != 0) {
        return Status::unsupported(fmt::format("cannot mount at {}", state.root));
    }
    state.mounted.push_back(state.root);
    state.cache = std::make_unique<LibfuseCache>(state.fuse.get(), state.session);
    state.invalidator.start(*state.cache);
    deps_.engine.subscribe(&state.invalidator);
    state.subscribed = true;
    state.loop = std::make_unique<RequestLoop>(*state.fuse, options_.threads, deps_.log);
    raise_read_ahead();
    return {};
}

// Sequential reads are worth requests of a MiB. Where we may not say so, they are smaller.
void Mount::raise_read_ahead() {
    struct stat st {};
    if (::stat(state_->root.c_str(), &st) != 0) return;  // Also waits until the mount is ready.
    const std::string path =
        fmt::format("/sys/class/bdi/{}:{}/read_ahead_kb", major(st.st_dev), minor(st.st_dev));
    std::ofstream(path) << objstore::kMiB / objstore::kKiB;
}

// Further places are binds of the first.
Status Mount::bind_buckets() {
    State& state = *state_;
    for (const At& at : options_.at) {
        if (at.bucket.empty() && at.directory == state.root) continue;
        const std::string source =
            at.bucket.empty() ? state.root : fmt::format("{}/{}", state.root, at.bucket);
        const std::string what = fmt::format("mount {} at {}", source, at.directory);
        if (::geteuid() != 0) return Status::unsupported(what + ": only root may bind");
        if (::access(source.c_str(), F_OK) != 0) return system_error(what);
        TRY(make_directory(at.directory));
        if (::mount(source.c_str(), at.directory.c_str(), nullptr, MS_BIND, nullptr) != 0) {
            const bool denied = errno == EPERM || errno == EACCES;
            return denied ? Status::unsupported(what + ": binds are not allowed here")
                          : system_error(what);
        }
        state.mounted.push_back(at.directory);
    }
    return {};
}

namespace {

// What programs have mapped and changed goes to the server now.
void write_back(const std::string& root) {
    const int fd = ::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return;
    (void)::syncfs(fd);
    ::close(fd);
}

// Each request ends one thread of the loop. One that none is left to answer ends when the session
// is closed.
void wake_up(int root, unsigned threads) {
    for (unsigned i = 0; i < threads; ++i) {
        struct stat st {};
        (void)::fstatat(root, fmt::format(".ashlar-wake-up-{}", i).c_str(), &st, 0);
    }
}

}  // namespace

// Returns a descriptor of the root where somebody still uses it, else -1.
int Mount::unmount_all() {
    State& state = *state_;
    int busy_root = -1;
    for (auto place = state.mounted.rbegin(); place != state.mounted.rend(); ++place) {
        if (::umount2(place->c_str(), UMOUNT_NOFOLLOW) == 0) continue;
        if (errno == EPERM) {  // Not root: libfuse asks its helper, which only detaches.
            fuse_session_unmount(state.fuse.get());
            continue;
        }
        if (*place == state.root) {
            busy_root = ::open(place->c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
        }
        (void)::umount2(place->c_str(), UMOUNT_NOFOLLOW | MNT_DETACH);
    }
    state.mounted.clear();
    return busy_root;
}

void Mount::stop() {
    if (state_ == nullptr) return;
    State& state = *state_;
    std::thread waker;
    if (!state.mounted.empty()) {
        write_back(state.root);
        const int busy_root = unmount_all();
        if (state.subscribed) deps_.engine.unsubscribe(&state.invalidator);
        // While requests are still answered: it may be waiting for one.
        state.invalidator.stop();
        if (busy_root >= 0) {
            state.loop->end_after_next();
            waker = objstore::named_thread("fuse-stop", [busy_root, threads = options_.threads] {
                wake_up(busy_root, threads);
                ::close(busy_root);
            });
        }
    }
    state.loop.reset();
    state.session.locks.stop();
    state.session.files.clear();
    state.fuse.reset();
    if (waker.joinable()) waker.join();
    if (state.staged) {
        ::rmdir(state.root.c_str());
        // Other deployments may have theirs there.
        ::rmdir(std::filesystem::path(state.root).parent_path().c_str());
    }
    state_.reset();
}

Status clean_stale_mounts(const std::string& deployment, spdlog::logger& log) {
    TRY_ASSIGN(const auto mounts, read_mount_info());
    for (const MountedAt& mount : mounts) {
        if (mount.type != kType || mount.source != "ashlar:" + deployment) continue;
        if (!has_no_server(mount.path)) continue;
        if (::umount2(mount.path.c_str(), UMOUNT_NOFOLLOW | MNT_DETACH) != 0) {
            return system_error("unmount stale " + mount.path);
        }
        log.info("event=stale_mount_removed path=\"{}\"", mount.path);
    }
    return {};
}

}  // namespace fs
