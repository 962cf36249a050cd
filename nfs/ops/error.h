#pragma once

#include "nfs/ops/protocol.h"
#include "objstore/base/status.h"

namespace nfs {

// The one translation of our errors into NFSv3's. `ok` is ok.
NfsStatus to_nfs(const objstore::Status& status);

}  // namespace nfs
