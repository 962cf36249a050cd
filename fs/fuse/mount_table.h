#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "objstore/base/status.h"

namespace fs {

struct MountedAt {
    std::string path;
    std::string type;
    std::string source;
    std::string device;  // "major:minor"
};

// Reads what /proc/self/mountinfo says. Lines it does not understand are left out.
std::vector<MountedAt> parse_mount_info(std::string_view text);
objstore::Result<std::vector<MountedAt>> read_mount_info();

}  // namespace fs
