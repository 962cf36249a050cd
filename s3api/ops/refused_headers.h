#pragma once

#include "s3api/base/error.h"
#include "s3api/http/request.h"

namespace s3api {

// Refuses a request with a header whose wish would be ignored, where the answer would then deceive:
// encryption, object lock, foreign ACLs, appends, conditions that are not offered. What changes
// something may moreover carry only such x-amz-… headers as are known here, harmless ones included:
// what S3 has next year may well mean something else than to replace the object.
// not_implemented, access_control_list_not_supported, invalid_storage_class.
S3Status refuse_headers(const Request& request);

}  // namespace s3api
