#include "cmd/ashlar/serve_options.h"

#include <algorithm>
#include <optional>
#include <set>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <toml++/toml.h>

#include "cmd/ashlar/disk_pattern.h"
#include "nfs/ops/request.h"
#include "objstore/base/number.h"

namespace cmd {

namespace {

using objstore::Result;
using objstore::Status;

constexpr std::size_t kDisksMax = 16;

constexpr const char* kExamples = R"(
Examples:
  ashlar serve /data/d{1...6}
      Six disks (any two may fail), S3 on port 9000 of all addresses.
  ashlar serve /data/d{1...6} --nfs 127.0.0.1:2049 --mount /mnt/ashlar
      The same data by NFS and as a directory.
  ashlar serve /data/d{1...4} --address 127.0.0.1:0 --mount photos=/srv/photos
      A free port; one bucket at a directory.

Keys come from ASHLAR_ACCESS_KEY and ASHLAR_SECRET_KEY (or the file); with none given, the first
start makes a pair, keeps it with the data and prints it once.)";

}  // namespace

void declare_serve(CLI::App& app, ServeOptions& options) {
    app.description("Serve directories as disks: S3 always, NFS and mounts on request.");
    app.footer(kExamples);
    app.add_option("disks", options.disks, "One to sixteen directories; {1...6} expands")
        ->envname("ASHLAR_DISKS")
        ->type_name("DISK...");
    const auto setting = [&](const char* name, std::string& value, const char* text) {
        std::string variable = fmt::format("ASHLAR_{}", name);
        for (char& c : variable) c = c == '-' ? '_' : static_cast<char>(std::toupper(c));
        return app.add_option(fmt::format("--{}", name), value, text)->envname(variable);
    };
    setting("config", options.config, "Settings as TOML, named as the flags")->type_name("FILE");
    setting("address", options.address, "S3 address")
        ->type_name("HOST:PORT")
        ->capture_default_str();
    setting("nfs", options.nfs, "NFSv3 and MOUNT address; trusts its clients (AUTH_SYS)")
        ->type_name("HOST:PORT");
    app.add_option("--mount", options.mounts, "Mount all buckets, or one, at a directory")
        ->envname("ASHLAR_MOUNT")
        ->type_name("[BUCKET=]DIR");
    setting("domain", options.domain, "Domain of virtual-host style requests (BUCKET.DOMAIN)");
    setting("region", options.region, "Region clients sign for")->capture_default_str();
    setting("bucket-owner",
            options.bucket_owner,
            "Who owns buckets made through S3, for NFS and mounts; else who runs this, not root")
        ->type_name("UID:GID");
    setting("bucket-mode", options.bucket_mode, "Their permissions, in octal")
        ->type_name("MODE")
        ->capture_default_str();
    setting("log-level", options.log_level, "debug, info, warn or error")
        ->check(CLI::IsMember({"debug", "info", "warn", "error"}))
        ->capture_default_str();
    setting("log-format", options.log_format, "text or json")
        ->check(CLI::IsMember({"text", "json"}))
        ->capture_default_str();
    // Secrets are for the environment and the file; a command line can be read by everybody.
    setting("access-key", options.access_key, "")->group("");
    setting("secret-key", options.secret_key, "")->group("");
}

namespace {

// A setting's value or values as words, as a command line would give them.
Result<std::vector<std::string>> words_of(std::string_view name, const toml::node& value) {
    std::vector<std::string> words;
    const auto take = [&](const toml::node& node) {
        if (const auto text = node.value_exact<std::string>()) {
            words.push_back(*text);
            return true;
        }
        return false;
    };
    bool ok = true;
    if (const toml::array* array = value.as_array()) {
        for (const toml::node& node : *array) ok = ok && take(node);
    } else {
        ok = take(value);
    }
    if (!ok) {
        return Status::invalid_argument(
            fmt::format("config: '{}' must be a string, or an array of them", name));
    }
    return words;
}

Status add_setting(CLI::App& app, std::string_view name, const toml::node& value) {
    const std::string flag = name == "disks" ? "disks" : fmt::format("--{}", name);
    CLI::Option* option = name == "config" ? nullptr : app.get_option_no_throw(flag);
    if (option == nullptr) {
        return Status::invalid_argument(
            fmt::format("config: '{}' is no setting; see `ashlar help serve`", name));
    }
    if (option->count() > 0) return {};
    TRY_ASSIGN(std::vector<std::string> words, words_of(name, value));
    option->add_result(std::move(words));
    option->run_callback();
    return {};
}

}  // namespace

Status add_config_file(CLI::App& app, const ServeOptions& options) {
    if (options.config.empty()) return {};
    try {
        const toml::table table = toml::parse_file(options.config);
        for (const auto& [name, value] : table) TRY(add_setting(app, name.str(), value));
        return {};
    } catch (const toml::parse_error& e) {
        return Status::invalid_argument(fmt::format(
            "config: {}:{}: {}", options.config, e.source().begin.line, e.description()));
    } catch (const CLI::ParseError& e) {
        return Status::invalid_argument(fmt::format("config: {}: {}", options.config, e.what()));
    }
}

Result<HostPort> parse_host_port(const std::string& setting, const std::string& text) {
    const auto wrong = [&] {
        return Status::invalid_argument(fmt::format(
            "{}: '{}' is no address: write HOST:PORT, as in 127.0.0.1:9000", setting, text));
    };
    const std::size_t colon = text.rfind(':');
    if (colon == std::string::npos) return wrong();
    HostPort address;
    address.host = text.substr(0, colon);
    if (address.host.starts_with('[') && address.host.ends_with(']')) {
        address.host = address.host.substr(1, address.host.size() - 2);
    } else if (address.host.find(':') != std::string::npos) {
        return wrong();
    }
    const auto port =
        objstore::parse_number<unsigned short>(std::string_view(text).substr(colon + 1));
    if (!port) return wrong();
    address.port = *port;
    return address;
}

Result<MountPoint> parse_mount(const std::string& text) {
    const std::size_t equals = text.find('=');
    MountPoint mount;
    if (equals != std::string::npos && text.find('/') > equals) {
        mount.bucket = text.substr(0, equals);
        mount.path = text.substr(equals + 1);
        if (mount.bucket.empty()) mount.path.clear();
    } else {
        mount.path = text;
    }
    if (mount.path.empty()) {
        return Status::invalid_argument(
            fmt::format("mount: '{}' names no directory: write DIR or BUCKET=DIR", text));
    }
    return mount;
}

Result<Owner> parse_owner(const std::string& text) {
    const std::size_t colon = text.find(':');
    const auto uid = objstore::parse_number<std::uint32_t>(std::string_view(text).substr(0, colon));
    const auto gid =
        colon == std::string::npos
            ? std::nullopt
            : objstore::parse_number<std::uint32_t>(std::string_view(text).substr(colon + 1));
    if (uid && gid) return Owner{*uid, *gid};
    return Status::invalid_argument(
        fmt::format("bucket-owner: '{}' is no owner: write UID:GID, as in 1000:1000", text));
}

Owner bucket_owner_by_default(Owner runs) {
    if (runs.uid != 0) return runs;
    const nfs::NfsOptions squashed;
    return {squashed.anonymous_uid, squashed.anonymous_gid};
}

Result<std::uint32_t> parse_bucket_mode(const std::string& text) {
    const auto mode = objstore::parse_number<std::uint32_t>(text, 8);
    if (mode && *mode <= 0777) return *mode;
    return Status::invalid_argument(
        fmt::format("bucket-mode: '{}' is no mode: write it in octal, as in 0755", text));
}

Result<std::vector<std::string>> expand_disks(const std::vector<std::string>& patterns) {
    std::vector<std::string> all;
    std::set<std::string> seen;
    for (const std::string& pattern : patterns) {
        TRY_ASSIGN(const auto paths, expand_pattern(pattern));
        for (const std::string& path : paths) {
            if (!seen.insert(path).second) {
                return Status::invalid_argument(fmt::format("disk '{}' is given twice", path));
            }
            all.push_back(path);
        }
    }
    if (all.empty() || all.size() > kDisksMax) {
        return Status::invalid_argument(
            fmt::format("{} disks are given: one to {} work", all.size(), kDisksMax));
    }
    return all;
}

}  // namespace cmd
