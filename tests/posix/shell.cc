#include "tests/posix/shell.h"

#include <cstdio>
#include <filesystem>

#include <fmt/format.h>
#include <sys/wait.h>

namespace tests {

namespace {

struct ShellResult {
    int status = 0;   // what the shell exited with
    std::string out;  // standard output and error
};

ShellResult shell(const std::string& command) {
    ShellResult result;
    FILE* const pipe = ::popen(("( " + command + " ) 2>&1").c_str(), "re");
    REQUIRE(pipe != nullptr);
    char buffer[4096];
    while (const std::size_t size = ::fread(buffer, 1, sizeof(buffer), pipe)) {
        result.out.append(buffer, size);
    }
    const int status = ::pclose(pipe);
    result.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return result;
}

// Runs a script of `scripts/` in the directory; killed after two minutes.
ShellResult run(MountedStore& store, const std::string& directory, const std::string& script) {
    const std::string scripts = TEST_SCRIPTS;
    const bool python = script.substr(script.size() - 3) == ".py";
    return shell(
        fmt::format("cd '{}' && export SCRIPTS='{}' TREE='{}/tree' TZ=UTC LC_ALL=C && "
                    "timeout -k 1 120 {} '{}/{}'",
                    directory,
                    scripts,
                    store.root(),
                    python ? "python3" : "sh -eu",
                    scripts,
                    script));
}

}  // namespace

std::unique_ptr<MountedStore> mounted(MountedStore::Options options) {
    if (const std::string why = MountedStore::cannot_mount(); !why.empty()) {
        MESSAGE("SKIPPED, nothing can be mounted here: " << why);
        return nullptr;
    }
    auto store = std::make_unique<MountedStore>(std::move(options));
    const objstore::Status status = store->open();
    INFO(std::string(status.message()));
    REQUIRE(status.ok());
    return store;
}

void check_same(MountedStore& store, const std::string& script) {
    const std::string there = store.bucket_dir() + "/same";
    const std::string here = store.local_dir() + "/same";
    std::filesystem::create_directory(there);
    std::filesystem::create_directory(here);
    const ShellResult expected = run(store, here, script);
    const ShellResult found = run(store, there, script);
    CHECK(found.out == expected.out);
    CHECK(found.status == expected.status);
    CHECK(shell(fmt::format("diff -r '{}' '{}'", here, there)).out == "");
}

void check_passes(MountedStore& store, const std::string& script) {
    const ShellResult result = run(store, store.bucket_dir(), script);
    INFO(result.out);
    CHECK(result.status == 0);
}

}  // namespace tests
