#pragma once

#include <string_view>
#include <utility>

#include "objstore/base/status.h"

namespace objstore {

// Whether `path` may be given to a Disk: relative, '/' between names, no empty name, no "." or
// "..", no NUL, names of at most 255 bytes. "" is not one.
bool is_disk_path(std::string_view path);

// invalid_argument unless is_disk_path.
Status check_disk_path(std::string_view path);

// The directory ("" for the root) and the name within it.
std::pair<std::string_view, std::string_view> split_disk_path(std::string_view path);

}  // namespace objstore
