#pragma once

#include <string_view>

#include "objstore/engine/engine.h"
#include "s3api/http/request.h"

namespace s3api {

// Conditional headers of reads (RFC 9110, section 13, in the order S3 documents): If-Match,
// If-Unmodified-Since (only without If-Match), If-None-Match, If-Modified-Since (only without
// If-None-Match). precondition_failed; not_modified carries ETag and Last-Modified.
S3Status check_read_conditions(const Request& request, const objstore::ObjectInfo& object);

// The same for x-amz-copy-source-if-…: always precondition_failed.
S3Status check_copy_conditions(const Request& request, const objstore::ObjectInfo& source);

// If-Match and If-None-Match of writes.
S3Result<objstore::WriteConditions> write_conditions(const Request& request);

}  // namespace s3api
