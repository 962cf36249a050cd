#include "cmd/ashlar/serve_options.h"

#include <filesystem>
#include <fstream>

#include <CLI/CLI.hpp>
#include <doctest/doctest.h>
#include <unistd.h>

namespace cmd {
namespace {

using objstore::Code;

ServeOptions parse(std::vector<std::string> arguments) {
    CLI::App app;
    ServeOptions options;
    declare_serve(app, options);
    std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants them
    app.parse(arguments);
    return options;
}

TEST_CASE("addresses are host and port") {
    CHECK(parse_host_port("address", "127.0.0.1:9000")->port == 9000);
    CHECK(parse_host_port("address", "[::1]:0")->host == "::1");
    CHECK(parse_host_port("address", ":9000")->host.empty());
    for (const char* bad : {"", "9000", "host", "host:", "host:x", "host:65536", "::1:9000"}) {
        CAPTURE(bad);
        CHECK(parse_host_port("address", bad).code() == Code::invalid_argument);
    }
}

TEST_CASE("a mount is a directory, or a bucket at one") {
    CHECK(parse_mount("/mnt")->bucket.empty());
    CHECK(parse_mount("photos=/mnt")->bucket == "photos");
    CHECK(parse_mount("/mnt/a=b")->path == "/mnt/a=b");
    CHECK(parse_mount("=/mnt").code() == Code::invalid_argument);
    CHECK(parse_mount("photos=").code() == Code::invalid_argument);
    CHECK(parse_mount("").code() == Code::invalid_argument);
}

TEST_CASE("disks are expanded and none is given twice") {
    CHECK(expand_disks({"/d{1...6}"})->size() == 6);
    CHECK(expand_disks({"/d{1...2}", "/d2"}).code() == Code::invalid_argument);
    CHECK(expand_disks({"/d{1...17}"}).code() == Code::invalid_argument);
    CHECK(expand_disks({}).code() == Code::invalid_argument);
}

TEST_CASE("an owner is two numbers, a mode nine bits in octal") {
    CHECK(parse_owner("1000:100")->uid == 1000);
    CHECK(parse_owner("1000:100")->gid == 100);
    for (const char* bad : {"", "1000", ":", "1000:", ":1000", "a:b", "1:2:3", "-1:0", "1: 2"}) {
        CAPTURE(bad);
        CHECK(parse_owner(bad).code() == Code::invalid_argument);
    }
    CHECK(*parse_bucket_mode("0775") == 0775);
    CHECK(*parse_bucket_mode("0") == 0);
    for (const char* bad : {"", "u=rwx", "0888", "01777", "-1"}) {
        CAPTURE(bad);
        CHECK(parse_bucket_mode(bad).code() == Code::invalid_argument);
    }
}

TEST_CASE("buckets belong to who runs the server, but for root to whom NFS takes it for") {
    CHECK(bucket_owner_by_default({1000, 100}).uid == 1000);
    CHECK(bucket_owner_by_default({1000, 100}).gid == 100);
    CHECK(bucket_owner_by_default({0, 0}).uid == 65534);
    CHECK(bucket_owner_by_default({0, 0}).gid == 65534);
    CHECK(parse({"/d1"}).bucket_mode == "0755");
    CHECK(parse({"/d1", "--bucket-owner", "1:2"}).bucket_owner == "1:2");
}

TEST_CASE("flags fill the options") {
    const ServeOptions options =
        parse({"/d{1...6}", "--nfs", "127.0.0.1:0", "--mount", "a=/m", "--mount", "/n"});
    CHECK(options.disks == std::vector<std::string>{"/d{1...6}"});
    CHECK(options.nfs == "127.0.0.1:0");
    CHECK(options.mounts.size() == 2);
    CHECK(options.address == "0.0.0.0:9000");
}

TEST_CASE("unknown flags are wrong use") {
    CHECK_THROWS_AS(parse({"/d1", "--nonsense"}), CLI::ParseError);
}

struct WithFile {
    objstore::Status status;
    ServeOptions options;
};

WithFile parse_with_file(const std::string& toml, std::vector<std::string> arguments) {
    const std::string path = std::filesystem::temp_directory_path() /
                             ("ashlar-options-" + std::to_string(getpid()) + ".toml");
    std::ofstream(path) << toml;
    CLI::App app;
    WithFile result;
    declare_serve(app, result.options);
    arguments.insert(arguments.end(), {"--config", path});
    std::reverse(arguments.begin(), arguments.end());
    app.parse(arguments);
    result.status = add_config_file(app, result.options);
    std::filesystem::remove(path);
    return result;
}

TEST_CASE("a file gives what flags do not, and flags win") {
    const auto got = parse_with_file(
        "disks = ['/a{1...2}', '/b']\nnfs = '127.0.0.1:1'\nregion = 'file'\nmount = '/m'\n",
        {"--region", "flag"});
    REQUIRE(got.status.ok());
    CHECK(got.options.disks == std::vector<std::string>{"/a{1...2}", "/b"});
    CHECK(got.options.nfs == "127.0.0.1:1");
    CHECK(got.options.region == "flag");
    CHECK(got.options.mounts == std::vector<std::string>{"/m"});
}

TEST_CASE("a file with unknown settings, wrong values or no TOML is refused") {
    for (const char* bad : {"nonsense = 'x'",
                            "config = 'x'",
                            "nfs = 7",
                            "log-level = 'loud'",
                            "nfs = ",
                            "disks = [1]"}) {
        CAPTURE(bad);
        CHECK(parse_with_file(bad, {}).status.code() == Code::invalid_argument);
    }
}

}  // namespace
}  // namespace cmd
