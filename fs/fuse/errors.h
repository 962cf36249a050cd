#pragma once

#include "objstore/base/status.h"

namespace fs {

// What the kernel is told of a failure: a positive errno; 0 when ok.
int errno_of(const objstore::Status& status);

}  // namespace fs
