#include "s3api/ops/context.h"

#include <fmt/format.h>

#include "objstore/base/number.h"
#include "s3api/ops/refused_headers.h"

namespace s3api {

S3Result<objstore::BucketRow> find_bucket(OpContext& context, const Request& request) {
    TRY(refuse_unsupported(context, request));
    auto bucket = context.engine.bucket(request.bucket);
    if (bucket.ok()) return *std::move(bucket);
    S3Status error = std::move(bucket).error();
    return std::move(error).with_detail("BucketName", request.bucket);
}

S3Status no_such_key(const Request& request) {
    return S3Status(S3Error::no_such_key).with_detail("Key", request.key);
}

S3Status refuse_unsupported(const OpContext& context, const Request& request) {
    TRY(refuse_headers(request));
    for (const char* name : {"x-amz-expected-bucket-owner", "x-amz-source-expected-bucket-owner"}) {
        const auto owner = request.header(name);
        if (owner && *owner != context.owner_id) return S3Error::access_denied;
    }
    const auto version = request.parameter("versionId");
    if (version && !version->empty() && *version != "null") return S3Error::no_such_version;
    return {};
}

S3Result<std::uint64_t> number_parameter(const Request& request,
                                         std::string_view name,
                                         std::uint64_t otherwise,
                                         std::pair<std::uint64_t, std::uint64_t> bounds) {
    const auto text = request.parameter(name);
    if (!text || text->empty()) return otherwise;
    const auto value = objstore::parse_number<std::uint64_t>(*text);
    if (value && *value >= bounds.first && *value <= bounds.second) return *value;
    return S3Status(
               S3Error::invalid_argument,
               fmt::format(
                   "{} must be a whole number from {} to {}", name, bounds.first, bounds.second))
        .with_detail("ArgumentName", std::string(name))
        .with_detail("ArgumentValue", std::string(*text));
}

std::string quoted(const objstore::ETag& etag) {
    return fmt::format("\"{}\"", etag.to_string());
}

}  // namespace s3api
