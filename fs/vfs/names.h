#pragma once

#include <string_view>

#include "objstore/base/status.h"

namespace fs {

// Whether `name` can be a component of a path. See Vfs for the errors.
objstore::Status check_name(std::string_view name);

}  // namespace fs
