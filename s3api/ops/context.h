#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "objstore/engine/engine.h"
#include "s3api/http/op.h"
#include "s3api/ops/completed_uploads.h"
#include "s3api/ops/piece_budget.h"

namespace s3api {

// What CreateBucket gives a bucket for mounts and NFS; keys made by S3 take it over.
struct BucketDefaults {
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::uint32_t directory_mode = 0755;  // files: the same, less the execute bits
};

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
    BucketDefaults new_buckets = {};
};

// The bucket of the request. no_such_bucket.
S3Result<objstore::BucketRow> find_bucket(OpContext& context, const Request& request);

S3Status no_such_key(const Request& request);

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
