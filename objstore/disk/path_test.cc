#include "objstore/disk/path.h"

#include <string>

#include <doctest/doctest.h>

namespace objstore {

TEST_CASE("relative paths of plain names are paths within a disk") {
    for (const std::string path : {"a", "vol/ab/0123", "a.b", "..a", "a..", "...", "a b"}) {
        CAPTURE(path);
        CHECK(is_disk_path(path));
    }
    CHECK(is_disk_path(std::string(255, 'x')));
}

TEST_CASE("paths that could leave the disk or mean two things are refused") {
    for (const std::string path :
         {"", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a/.", "a/.."}) {
        CAPTURE(path);
        CHECK(!is_disk_path(path));
        CHECK(check_disk_path(path).code() == Code::invalid_argument);
    }
    CHECK(!is_disk_path(std::string_view("a\0b", 3)));
    CHECK(!is_disk_path("a/" + std::string(256, 'x')));
}

TEST_CASE("a path splits into its directory and its name") {
    CHECK(split_disk_path("a") == std::pair<std::string_view, std::string_view>("", "a"));
    CHECK(split_disk_path("a/b/c") == std::pair<std::string_view, std::string_view>("a/b", "c"));
}

}  // namespace objstore
