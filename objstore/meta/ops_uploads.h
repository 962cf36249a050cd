#pragma once

#include "objstore/base/status.h"
#include "objstore/meta/tables.h"

namespace objstore {

// Frees some parts of the aborted upload whose parts are written under that inode. True: nothing of
// it is left.
Result<bool> reap_upload(Tables& tables, InodeId inode);

}  // namespace objstore
