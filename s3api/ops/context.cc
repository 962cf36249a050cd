#include "s3api/ops/context.h"

#include <array>
#include <charconv>

#include <fmt/format.h>

namespace s3api {

namespace {

constexpr std::array<std::string_view, 9> kRefusedHeaders = {
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-customer-algorithm",
    "x-amz-copy-source-server-side-encryption-customer-algorithm",
    "x-amz-tagging",
    "x-amz-object-lock-mode",
    "x-amz-object-lock-legal-hold",
    "x-amz-object-lock-retain-until-date",
    "x-amz-bucket-object-lock-enabled",
    "x-amz-website-redirect-location",
};

constexpr std::array<std::string_view, 3> kOwnAcls = {
    "private", "bucket-owner-full-control", "bucket-owner-read"};

S3Status refuse_acl(const Request& request) {
    for (const Field& field : request.headers.all()) {
        if (lower(field.name).starts_with("x-amz-grant-")) {
            return S3Error::access_control_list_not_supported;
        }
    }
    const auto acl = request.header("x-amz-acl");
    if (!acl) return {};
    for (const std::string_view own : kOwnAcls) {
        if (*acl == own) return {};
    }
    return S3Error::access_control_list_not_supported;
}

S3Status refuse_storage_class(const Request& request) {
    const auto wanted = request.header("x-amz-storage-class");
    if (!wanted || *wanted == "STANDARD" || *wanted == "REDUCED_REDUNDANCY") return {};
    return {S3Error::invalid_storage_class, "The storage class you specified is not valid"};
}

}  // namespace

S3Result<objstore::BucketRow> find_bucket(OpContext& context, const Request& request) {
    TRY(refuse_unsupported(context, request));
    auto bucket = context.engine.bucket(request.bucket);
    if (bucket.ok()) return *std::move(bucket);
    S3Status error = std::move(bucket).error();
    return std::move(error).with_detail("BucketName", request.bucket);
}

S3Status refuse_unsupported(const OpContext& context, const Request& request) {
    for (const std::string_view name : kRefusedHeaders) {
        const auto value = request.header(name);
        if (!value || equals_ignoring_case(*value, "false")) continue;
        return {S3Error::not_implemented,
                fmt::format("The header {} asks for what this server does not offer", name)};
    }
    TRY(refuse_acl(request));
    TRY(refuse_storage_class(request));
    const auto owner = request.header("x-amz-expected-bucket-owner");
    if (owner && *owner != context.owner_id) return S3Error::access_denied;
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
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
    const bool whole = error == std::errc() && end == text->data() + text->size();
    if (whole && value >= bounds.first && value <= bounds.second) return value;
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
