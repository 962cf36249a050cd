#include "s3api/ops/refused_headers.h"

#include <algorithm>
#include <string>

#include <fmt/format.h>

namespace s3api {

namespace {

// Asked for by whatever request: not offered. So is all that begins with kRefusedPrefixes.
constexpr std::string_view kRefused[] = {
    "x-amz-bucket-object-lock-enabled",
    "x-amz-tagging",
    "x-amz-website-redirect-location",
    "x-amz-write-offset-bytes",
};
constexpr std::string_view kRefusedPrefixes[] = {
    "x-amz-copy-source-server-side-encryption-",
    "x-amz-object-lock-",
    "x-amz-rename-source",
    "x-amz-server-side-encryption",
};

// What requests that change something may carry: heeded where it applies, or without effect here.
constexpr std::string_view kKnown[] = {
    "x-amz-acl",
    "x-amz-algorithm",
    "x-amz-api-version",
    "x-amz-bucket-region",
    "x-amz-bypass-governance-retention",
    "x-amz-cf-id",
    "x-amz-client-token",
    "x-amz-content-sha256",
    "x-amz-copy-source",
    "x-amz-copy-source-if-match",
    "x-amz-copy-source-if-modified-since",
    "x-amz-copy-source-if-none-match",
    "x-amz-copy-source-if-unmodified-since",
    "x-amz-copy-source-range",
    "x-amz-credential",
    "x-amz-date",
    "x-amz-decoded-content-length",
    "x-amz-expected-bucket-owner",
    "x-amz-expires",
    "x-amz-if-match-last-modified-time",
    "x-amz-if-match-size",
    "x-amz-metadata-directive",
    "x-amz-mfa",
    "x-amz-mp-object-size",
    "x-amz-object-ownership",
    "x-amz-request-payer",
    "x-amz-sdk-checksum-algorithm",
    "x-amz-security-token",
    "x-amz-signature",
    "x-amz-signedheaders",
    "x-amz-source-expected-bucket-owner",
    "x-amz-storage-class",
    "x-amz-tagging-directive",
    "x-amz-te",
    "x-amz-trailer",
    "x-amz-user-agent",
};
constexpr std::string_view kKnownPrefixes[] = {"x-amz-checksum-", "x-amz-meta-"};

constexpr std::string_view kOwnAcls[] = {
    "private", "bucket-owner-full-control", "bucket-owner-read"};

template <std::size_t N>
bool among(std::string_view name, const std::string_view (&names)[N]) {
    return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

template <std::size_t N>
bool begins_with_one(std::string_view name, const std::string_view (&prefixes)[N]) {
    return std::any_of(std::begin(prefixes), std::end(prefixes), [name](std::string_view prefix) {
        return name.starts_with(prefix);
    });
}

S3Status not_offered(std::string_view name) {
    return {S3Error::not_implemented,
            fmt::format("The header {} asks for what this server does not offer", name)};
}

bool changes_something(const Request& request) {
    return request.method == Method::put || request.method == Method::post ||
           request.method == Method::del;
}

// HTTP's own that a change would have to heed.
S3Status refuse_http_headers(const Request& request) {
    if (!request.has_key() || !changes_something(request)) return {};
    for (const std::string_view name :
         {"content-range", "if-modified-since", "if-unmodified-since"}) {
        if (request.headers.has(name)) return not_offered(name);
    }
    return {};
}

// Those that only one operation heeds.
S3Status refuse_misplaced(const Request& request, std::string_view name) {
    const bool for_deletes = name.starts_with("x-amz-if-match-");
    const bool for_parts = name == "x-amz-copy-source-range";
    if (for_deletes && request.method != Method::del) return not_offered(name);
    if (for_parts && !request.query.has("partNumber")) return not_offered(name);
    return {};
}

// Of `header`, whose name is in lower case.
S3Status refuse_amz_header(const Request& request, const Field& header) {
    const auto [name, value] = header;
    if (name.starts_with("x-amz-grant-")) return S3Error::access_control_list_not_supported;
    if (name == "x-amz-acl" && !among(value, kOwnAcls)) {
        return S3Error::access_control_list_not_supported;
    }
    if (name == "x-amz-storage-class" && value != "STANDARD" && value != "REDUCED_REDUNDANCY") {
        return {S3Error::invalid_storage_class, "The storage class you specified is not valid"};
    }
    if (among(name, kRefused) || begins_with_one(name, kRefusedPrefixes)) {
        return equals_ignoring_case(value, "false") ? S3Status() : not_offered(name);
    }
    if (!changes_something(request)) return {};
    TRY(refuse_misplaced(request, name));
    return among(name, kKnown) || begins_with_one(name, kKnownPrefixes) ? S3Status()
                                                                        : not_offered(name);
}

}  // namespace

S3Status refuse_headers(const Request& request) {
    TRY(refuse_http_headers(request));
    for (const Field& field : request.headers.all()) {
        const std::string name = lower(field.name);
        if (!name.starts_with("x-amz-")) continue;
        TRY(refuse_amz_header(request, {name, field.value}));
    }
    return {};
}

}  // namespace s3api
