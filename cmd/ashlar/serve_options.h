#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "objstore/base/status.h"

namespace CLI {
class App;
}

namespace cmd {

struct MountPoint {
    std::string bucket;  // empty: all buckets
    std::string path;
};

// What `ashlar serve` was told. Each setting has one name: `--nfs`, ASHLAR_NFS, `nfs = …` in the
// file; a flag beats the environment, which beats the file.
struct ServeOptions {
    std::string config;              // a TOML file of settings
    std::vector<std::string> disks;  // as given, patterns unexpanded
    std::string address = "0.0.0.0:9000";
    std::string nfs;  // empty: no NFS
    std::vector<std::string> mounts;
    std::string domain;
    std::string region = "us-east-1";
    std::string access_key;
    std::string secret_key;
    std::string bucket_owner;  // empty: see bucket_owner_by_default
    std::string bucket_mode = "0755";
    std::string log_level = "info";
    std::string log_format = "text";
};

struct Owner {
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
};

struct HostPort {
    std::string host;
    unsigned short port = 0;
};

// Declares the command's flags on `app`, to be filled into `options`, which must outlive it.
void declare_serve(CLI::App& app, ServeOptions& options);

// Adds what the settings file (--config) says of settings that neither flag nor environment gave.
// To be called after parsing. invalid_argument: no such file, no TOML, an unknown setting.
objstore::Status add_config_file(CLI::App& app, const ServeOptions& options);

// `HOST:PORT`, `[V6]:PORT` or `:PORT`. invalid_argument names the setting and what to write.
objstore::Result<HostPort> parse_host_port(const std::string& setting, const std::string& text);
// `DIR` or `BUCKET=DIR`.
objstore::Result<MountPoint> parse_mount(const std::string& text);
// `UID:GID`, as numbers.
objstore::Result<Owner> parse_owner(const std::string& text);
// Whoever runs the server. For root: whom NFS takes root for, so that it can write there; at a
// mount root may do so in any case.
Owner bucket_owner_by_default(Owner runs);
// Permission bits in octal, at most 0777.
objstore::Result<std::uint32_t> parse_bucket_mode(const std::string& text);
// All disks, expanded: one to sixteen, no two the same.
objstore::Result<std::vector<std::string>> expand_disks(const std::vector<std::string>& patterns);

}  // namespace cmd
