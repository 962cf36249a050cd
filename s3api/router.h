#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "s3api/base/error.h"
#include "s3api/http/op.h"
#include "s3api/http/request.h"

namespace s3api {

// The operations that this server offers. S3 has more: the router knows them, and refuses them.
enum class Operation : std::uint8_t {
    list_buckets,
    create_bucket,
    head_bucket,
    delete_bucket,
    get_bucket_location,
    get_bucket_versioning,
    list_objects,
    list_objects_v2,
    list_object_versions,
    put_object,
    get_object,
    head_object,
    delete_object,
    delete_objects,
    get_object_tagging,
    copy_object,
    create_multipart_upload,
    upload_part,
    upload_part_copy,
    complete_multipart_upload,
    abort_multipart_upload,
    list_multipart_uploads,
    list_parts,
};
inline constexpr std::size_t kOperations = static_cast<std::size_t>(Operation::list_parts) + 1;

std::string_view to_string(Operation operation);  // "ListBuckets"

// Every operation's functions, indexed by Operation. One without `run` answers NotImplemented.
using OpTable = std::array<Op, kOperations>;

// Which operation a request asks for: by method, bucket, key, the query's sub-resources and, for
// copies, the header x-amz-copy-source. not_implemented: one that this server does not offer.
// method_not_allowed. Parameters that are no sub-resource are not looked at.
S3Result<Operation> route(const Request& request);

}  // namespace s3api
