#include "fs/fuse/mount_table.h"

#include <doctest/doctest.h>

namespace fs {
namespace {

TEST_CASE("a line of mountinfo is taken apart, whatever tags it has") {
    const auto mounts = parse_mount_info(
        "36 35 98:0 / /mnt/a\\040b rw,noatime master:1 propagate_from:2 - fuse.ashlar "
        "ashlar:0123 rw\n"
        "37 35 0:51 / / rw - ext4 /dev/vda rw\n"
        "nonsense\n"
        "38 35 0:52 / /x rw -");
    REQUIRE(mounts.size() == 2);
    CHECK(mounts[0].path == "/mnt/a b");
    CHECK(mounts[0].type == "fuse.ashlar");
    CHECK(mounts[0].source == "ashlar:0123");
    CHECK(mounts[0].device == "98:0");
    CHECK(mounts[1].type == "ext4");
}

TEST_CASE("the mounts of this machine can be read") {
    const auto mounts = read_mount_info();
    REQUIRE(mounts.ok());
    CHECK_FALSE(mounts->empty());
}

}  // namespace
}  // namespace fs
