// What programs see of the mount is what they see of the machine's own file system.
#include <unistd.h>

#include "tests/posix/shell.h"

namespace tests {
namespace {

void same(const std::string& script) {
    if (const auto store = mounted()) check_same(*store, script);
}

TEST_CASE("modes, owners and links are as on a local file system") {
    same("modes.sh");
}
TEST_CASE("names are removed and replaced as on a local file system") {
    same("names.sh");
}
TEST_CASE("content is written, cut and read as on a local file system") {
    same("content.sh");
}
TEST_CASE("times are as on a local file system") {
    same("times.sh");
}
TEST_CASE("extended attributes are as on a local file system") {
    same("xattrs.py");
}
TEST_CASE("files that are open live on without a name") {
    same("unlinked.py");
}
TEST_CASE("mapped files are read and written as on a local file system") {
    same("mapped.py");
}
TEST_CASE("appending from two processes loses nothing") {
    same("appended.sh");
}
TEST_CASE("locks are taken, waited for and given up as on a local file system") {
    same("locks.py");
}
TEST_CASE("users without privileges find the same doors shut, whatever root has cached") {
    if (::geteuid() == 0) {
        same("users.py");
    } else {
        MESSAGE("SKIPPED, needs root");
    }
}

}  // namespace
}  // namespace tests
