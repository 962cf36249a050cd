#pragma once

#include <memory>

#include "s3api/ops/checksums.h"
#include "s3api/ops/context.h"

namespace s3api {

struct StoredBody {
    std::unique_ptr<objstore::ContentWriter> content;
    BodyDigests::Values digests;
};

// Takes a request's body into storage under `owner`, checking it against everything the client
// said of it. Nothing shows before the content is committed.
S3Result<StoredBody> store_body(OpContext& context,
                                Request& request,
                                objstore::Owner owner,
                                ExpectedDigests expected);

}  // namespace s3api
