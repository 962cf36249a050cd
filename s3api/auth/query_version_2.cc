#include "s3api/auth/query_version_2.h"

#include <algorithm>
#include <map>
#include <vector>

#include "objstore/base/number.h"

namespace s3api {

namespace {

// The parameters that are signed. Any other can be added to a URL by whoever holds it, so each
// sub-resource that this server gives a meaning of its own must be here.
constexpr std::string_view kSubResources[] = {
    "accelerate",
    "acl",
    "analytics",
    "cors",
    "defaultObjectAcl",
    "delete",
    "inventory",
    "lifecycle",
    "location",
    "logging",
    "metrics",
    "notification",
    "object-lock",
    "partNumber",
    "policy",
    "replication",
    "requestPayment",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "restore",
    "select",
    "select-type",
    "storageClass",
    "tagging",
    "torrent",
    "uploadId",
    "uploads",
    "versionId",
    "versioning",
    "versions",
    "website",
};
static_assert(std::is_sorted(std::begin(kSubResources), std::end(kSubResources)));

// A header, or else the parameter that stands for it.
std::string_view header_or_parameter(const SignedMessage& message, std::string_view name) {
    if (const auto header = message.headers->find(name)) return trim(*header);
    return message.query->find(name).value_or("");
}

// "x-amz-a:1\nx-amz-b:2,3\n", sorted by name, those of one name in the order sent.
std::string amz_headers(const SignedMessage& message) {
    std::map<std::string, std::string> values;
    for (const Field& field : message.headers->all()) {
        std::string name = lower(field.name);
        if (!name.starts_with("x-amz-")) continue;
        const auto [at, first] = values.try_emplace(std::move(name));
        if (!first) at->second += ',';
        at->second += trim(field.value);
    }
    for (const QueryParameter& parameter : message.query->all()) {
        std::string name = lower(parameter.name);
        if (name.starts_with("x-amz-")) values.try_emplace(std::move(name), parameter.value);
    }
    std::string out;
    for (const auto& [name, value] : values)
        out.append(name).append(":").append(value).append("\n");
    return out;
}

// "/bucket/key?acl&versionId=v": the path as sent, before any decoding.
std::string resource(const SignedMessage& message) {
    std::string out;
    if (!message.host_bucket.empty()) out = "/" + std::string(message.host_bucket);
    out += message.raw_path;
    std::vector<const QueryParameter*> own;
    for (const QueryParameter& parameter : message.query->all()) {
        if (std::binary_search(
                std::begin(kSubResources), std::end(kSubResources), parameter.name)) {
            own.push_back(&parameter);
        }
    }
    std::stable_sort(
        own.begin(), own.end(), [](const auto* a, const auto* b) { return a->name < b->name; });
    char separator = '?';
    for (const QueryParameter* parameter : own) {
        out += separator;
        out += parameter->name;
        if (parameter->has_value) out += "=" + parameter->value;
        separator = '&';
    }
    return out;
}

}  // namespace

bool is_query_version_2(const Query& query) {
    return query.has("AWSAccessKeyId") || query.has("Signature");
}

S3Result<QueryClaim2> read_query_version_2(const SignedMessage& message) {
    const Query& query = *message.query;
    if (message.headers->has("authorization") || query.has("X-Amz-Algorithm")) {
        return two_mechanisms();
    }
    const auto key = query.find("AWSAccessKeyId");
    const auto signature = query.find("Signature");
    const auto expires = query.find("Expires");
    if (!key || !signature || !expires) {
        return S3Status(S3Error::access_denied,
                        "Query-string authentication requires the Signature, Expires and "
                        "AWSAccessKeyId parameters");
    }
    QueryClaim2 claim{std::string(*key), std::string(*signature), std::string(*expires)};
    const auto seconds = objstore::parse_number<std::int64_t>(claim.expires);
    if (!seconds) {
        return S3Status(
            S3Error::access_denied,
            "Invalid date (should be seconds since epoch): " + claim.expires.substr(0, 100));
    }
    claim.expires_seconds = *seconds;
    return claim;
}

std::string string_to_sign_2(const SignedMessage& message, const QueryClaim2& claim) {
    std::string out(message.method);
    out += '\n';
    out += header_or_parameter(message, "content-md5");
    out += '\n';
    out += header_or_parameter(message, "content-type");
    out += '\n';
    out += claim.expires;
    out += '\n';
    out += amz_headers(message);
    out += resource(message);
    return out;
}

}  // namespace s3api
