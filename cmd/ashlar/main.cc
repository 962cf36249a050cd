#include <cstdio>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cmd/ashlar/serve.h"
#include "cmd/ashlar/serve_options.h"

namespace {

constexpr int kWrongUse = 2;

constexpr const char* kDescription =
    "Ashlar: one storage engine with three doors. It keeps objects erasure-coded on local disks "
    "and shows the same data at the same instant by S3, as a mount and by NFS.";

// `ashlar help [COMMAND]` is `ashlar [COMMAND] --help`.
std::vector<std::string> as_help(const std::vector<std::string>& arguments) {
    if (arguments.empty() || arguments.front() != "help") return arguments;
    std::vector<std::string> rest(arguments.begin() + 1, arguments.end());
    rest.emplace_back("--help");
    return rest;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app(kDescription, "ashlar");
    app.set_version_flag("--version", "ashlar " ASHLAR_VERSION);
    app.set_help_flag("-h,--help", "Show this and exit");
    app.require_subcommand(1);
    app.footer("`ashlar help COMMAND` tells more of a command.");
    cmd::ServeOptions serve_options;
    CLI::App* serve = app.add_subcommand("serve");
    cmd::declare_serve(*serve, serve_options);

    std::vector<std::string> arguments = as_help({argv + 1, argv + argc});
    std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants them
    try {
        app.parse(std::move(arguments));
    } catch (const CLI::Success& e) {
        return app.exit(e);  // --help, --version
    } catch (const CLI::ParseError& e) {
        std::string message = e.what();
        std::replace(message.begin(), message.end(), '\n', ' ');
        fmt::print(
            stderr, "ashlar: {}; see `ashlar help{}`\n", message, serve->parsed() ? " serve" : "");
        return kWrongUse;
    }
    const objstore::Status added = cmd::add_config_file(*serve, serve_options);
    if (!added.ok()) {
        fmt::print(stderr, "ashlar: {}\n", added.message());
        return kWrongUse;
    }
    return cmd::serve(serve_options);
}
