#pragma once

#include <string>

#include <doctest/doctest.h>

#include "tests/posix/mounted_store.h"

namespace tests {

// A store to test with, or nothing and a loud word where nothing can be mounted.
std::unique_ptr<MountedStore> mounted(MountedStore::Options options = {});

// The script, a file of `scripts/`, prints and leaves the same in the mount as in the machine's
// own file system. $SCRIPTS is its directory.
void check_same(MountedStore& store, const std::string& script);
// The script ends well in the bucket. $TREE: where to put files outside the mount.
void check_passes(MountedStore& store, const std::string& script);

}  // namespace tests
