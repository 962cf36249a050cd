#pragma once

#include <string_view>

#include "objstore/base/status.h"

namespace fs {

// Whether `name` can be a component of a path. See Vfs for the errors.
objstore::Status check_name(std::string_view name);

// What web servers say of a file with this name; empty where the extension says nothing.
std::string_view content_type_of(std::string_view name);

}  // namespace fs
