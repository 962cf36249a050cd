// Programs that people use on file systems.
#include "tests/posix/shell.h"

namespace tests {
namespace {

void passes(const std::string& script) {
    if (const auto store = mounted()) check_passes(*store, script);
}

TEST_CASE("cp, rsync and tar carry a tree there and back") {
    passes("copies.sh");
}
TEST_CASE("git clones, commits, packs and finds nothing wrong") {
    passes("git.sh");
}
TEST_CASE("sqlite keeps its promises in both journal modes") {
    passes("sqlite.sh");
}
TEST_CASE("find, xargs and redirections work on many files") {
    passes("many.sh");
}
TEST_CASE("a directory of 20,000 files is listed while it is emptied") {
    passes("large_directory.py");
}
TEST_CASE("a listing goes on while names are removed") {
    passes("listing.py");
}
TEST_CASE("random writes, cuts, holes, copies and mappings agree with a model") {
    passes("random_file.py");
}
TEST_CASE("the root of the mount holds buckets and nothing else") {
    passes("root.sh");
}

TEST_CASE("a store that is closed and opened again shows what was there") {
    const auto store = mounted();
    if (!store) return;
    check_passes(*store, "keep.sh");
    store->close();
    REQUIRE(store->open().ok());
    check_passes(*store, "kept.sh");
}

TEST_CASE("one bucket is mounted alone") {
    MountedStore::Options options;
    options.mount_bucket = true;
    if (const auto store = mounted(options)) check_passes(*store, "many.sh");
}

}  // namespace
}  // namespace tests
