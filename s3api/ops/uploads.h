#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "s3api/ops/context.h"

namespace s3api {

// Upload ids as clients see them.
std::string upload_id_text(std::uint64_t id);
std::optional<std::uint64_t> parse_upload_id(std::string_view text);

// The upload that the request's uploadId names, of the request's bucket and key. no_such_upload.
S3Result<objstore::UploadRow> find_upload(OpContext& context,
                                          const Request& request,
                                          const objstore::BucketRow& bucket);

}  // namespace s3api
