#pragma once

#include "objstore/engine/engine.h"
#include "s3api/ops/context.h"

namespace s3api {

// What x-amz-copy-source names, with its key, found and checked against x-amz-copy-source-if-….
// no_such_bucket, no_such_key, invalid_argument, precondition_failed.
S3Result<objstore::ObjectInfo> find_copy_source(OpContext& context, const Request& request);

}  // namespace s3api
