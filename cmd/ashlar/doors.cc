#include "cmd/ashlar/doors.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include "s3api/ops/op_table.h"

namespace cmd {

using objstore::Status;

namespace {

constexpr std::chrono::seconds kGrace{10};

// The one account there is; its id is as S3's are: 64 hexadecimal digits.
std::string owner_id(const std::string& deployment) {
    return deployment + deployment;
}

objstore::Result<s3api::BucketDefaults> new_buckets(const ServeOptions& options) {
    s3api::BucketDefaults made;
    Owner owner = bucket_owner_by_default({::geteuid(), ::getegid()});
    if (!options.bucket_owner.empty()) {
        TRY_ASSIGN(owner, parse_owner(options.bucket_owner));
    }
    made.uid = owner.uid;
    made.gid = owner.gid;
    TRY_ASSIGN(made.directory_mode, parse_bucket_mode(options.bucket_mode));
    return made;
}

nfs::SipKey sip_key(const std::string& hex) {
    nfs::SipKey key{};
    const char* text = hex.data();
    std::from_chars(text, text + 16, key[0], 16);
    std::from_chars(text + 16, text + 32, key[1], 16);
    return key;
}

// How many clients a door takes: half of the files that may be open are theirs, three of four of
// these over S3. The others are for storage, whatever clients do.
std::size_t connections(std::size_t wanted, std::size_t eighths) {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return wanted;
    const auto share = static_cast<std::size_t>(limit.rlim_cur) / 8 * eighths;
    return std::clamp<std::size_t>(share, 8, wanted);
}

}  // namespace

class Doors::Credentials final : public s3api::CredentialStore {
public:
    explicit Credentials(Keys keys) : keys_(std::move(keys)) {}
    std::optional<std::string> secret(std::string_view access_key) const override {
        if (access_key != keys_.access_key) return std::nullopt;
        return keys_.secret_key;
    }

private:
    const Keys keys_;
};

Doors::Doors(const ServeOptions& options, Keys keys, Deps deps)
    : options_(options),
      deps_(std::move(deps)),
      credentials_(std::make_unique<Credentials>(std::move(keys))),
      context_{.engine = deps_.deployment.engine(),
               .clock = deps_.clock,
               .random = deps_.random,
               .region = options.region,
               .owner_id = owner_id(deps_.deployment.id()),
               .owner_name = "ashlar"},
      vfs_({.region = options.region},
           {deps_.deployment.engine(), deps_.clock, deps_.random, *deps_.log}) {}

Doors::~Doors() {
    if (Status status = close(); !status.ok()) {
        deps_.log->error("event=close_failed error=\"{}\"", status.message());
    }
}

Status Doors::open() {
    TRY_ASSIGN(context_.new_buckets, new_buckets(options_));
    TRY(open_s3());
    TRY(open_nfs());
    TRY(open_mounts());
    s3_->set_ready(true);
    return {};
}

Status Doors::open_s3() {
    s3api::Server::Options options;
    options.address = options_.address;
    options.domain = options_.domain;
    options.region = options_.region;
    options.host_id = deps_.deployment.id();
    options.connections_max = connections(options.connections_max, 3);
    s3_ = std::make_unique<s3api::Server>(
        options, s3api::make_op_table(context_), *credentials_, deps_.clock, deps_.log);
    auto address = s3_->start();
    if (!address.ok()) return std::move(address).error().with_context("address");
    lines_.push_back(fmt::format("S3    http://{}", *address));
    return {};
}

Status Doors::open_nfs() {
    if (options_.nfs.empty()) return {};
    TRY_ASSIGN(const HostPort at, parse_host_port("nfs", options_.nfs));
    TRY_ASSIGN(const std::string secret,
               kept_secret("nfs_secret", deps_.deployment.engine(), deps_.random));
    nfs::Server::Options options;
    options.tcp.host = at.host.empty() ? "127.0.0.1" : at.host;
    options.tcp.port = at.port;
    options.secret = sip_key(secret);
    options.tcp.connection_count_max = connections(options.tcp.connection_count_max, 1);
    nfs_ = std::make_unique<nfs::Server>(options, vfs_, deps_.clock, *deps_.log);
    auto address = nfs_->start();
    if (!address.ok()) return std::move(address).error().with_context("nfs");
    lines_.push_back(fmt::format("NFS   {}:{}", address->host, address->port));
    return {};
}

Status Doors::open_mounts() {
    TRY(fs::clean_stale_mounts(deps_.deployment.id(), *deps_.log));
    if (options_.mounts.empty()) return {};
    fs::Mount::Options options;
    options.deployment = deps_.deployment.id();
    options.staging = fmt::format("/run/ashlar/{}", deps_.deployment.id());
    for (const std::string& text : options_.mounts) {
        TRY_ASSIGN(const MountPoint mount, parse_mount(text));
        options.at.push_back({mount.bucket, mount.path});
        lines_.push_back(fmt::format("mount {}", mount.path));
    }
    mount_ = std::make_unique<fs::Mount>(
        options, fs::Mount::Deps{vfs_, deps_.deployment.engine(), deps_.clock, *deps_.log});
    return mount_->start().with_context("mount");
}

// The mount first: its programs may still write, and their bytes go the way of all others. Then
// what waits in memory, while there still is a deployment to store it.
Status Doors::close() {
    if (s3_ != nullptr) s3_->set_ready(false);
    deps_.stop_limit.now_at("mount");
    if (mount_ != nullptr) mount_->stop();
    deps_.stop_limit.now_at("nfs");
    if (nfs_ != nullptr) nfs_->stop(kGrace);
    deps_.stop_limit.now_at("written bytes");
    Status stored = vfs_.stop();
    deps_.stop_limit.now_at("s3");
    if (s3_ != nullptr) s3_->stop(kGrace);
    deps_.stop_limit.now_at("storage");
    return stored;
}

}  // namespace cmd
