#pragma once

#include <string>

#include "objstore/engine/engine.h"
#include "s3api/http/op.h"
#include "s3api/ops/completed_uploads.h"
#include "s3api/ops/piece_budget.h"

namespace s3api {

// What every operation works with. All must outlive the server.
struct OpContext {
    objstore::Engine& engine;
    const objstore::Clock& clock;
    objstore::Random& random;
    std::string region;
    std::string owner_id;  // the one account there is, as <ID>
    std::string owner_name;
    PieceBudget pieces = PieceBudget();
    CompletedUploads completed_uploads = CompletedUploads();
};

// The bucket of the request. no_such_bucket.
S3Result<objstore::BucketRow> find_bucket(OpContext& context, const Request& request);

// Refuses what asks for a feature that is not there, where ignoring it would deceive: headers (see
// refuse_headers), versions other than "null", another expected bucket owner.
S3Status refuse_unsupported(const OpContext& context, const Request& request);

// An optional query parameter that is a number in [from, to]. invalid_argument.
S3Result<std::uint64_t> number_parameter(const Request& request,
                                         std::string_view name,
                                         std::uint64_t otherwise,
                                         std::pair<std::uint64_t, std::uint64_t> bounds);

std::string quoted(const objstore::ETag& etag);

}  // namespace s3api
