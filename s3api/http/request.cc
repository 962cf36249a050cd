#include "s3api/http/request.h"

#include <algorithm>

namespace s3api {

namespace {

std::string_view without_port(std::string_view host) {
    if (host.starts_with('[')) return host.substr(0, host.find(']') + 1);
    return host.substr(0, host.find(':'));
}

// "bucket" of "bucket.s3.example.com" when the domain is "s3.example.com", else nothing.
std::string_view bucket_of_host(std::string_view host, std::string_view domain) {
    host = without_port(host);
    if (domain.empty() || host.size() <= domain.size() + 1) return {};
    const std::size_t dot = host.size() - domain.size() - 1;
    if (host[dot] != '.' || !equals_ignoring_case(host.substr(dot + 1), domain)) return {};
    return host.substr(0, dot);
}

}  // namespace

std::string_view to_string(Method method) {
    switch (method) {
        case Method::get:
            return "GET";
        case Method::head:
            return "HEAD";
        case Method::put:
            return "PUT";
        case Method::post:
            return "POST";
        case Method::del:
            return "DELETE";
        case Method::options:
            return "OPTIONS";
        case Method::other:
            return "other";
    }
    return "other";
}

S3Result<Target> parse_target(std::string_view host,
                              std::string_view raw_path,
                              std::string_view domain) {
    if (!raw_path.starts_with('/')) return S3Error::invalid_uri;
    raw_path.remove_prefix(1);
    Target target;
    std::string_view raw_key = raw_path;
    target.bucket = lower(bucket_of_host(host, domain));
    target.virtual_host = !target.bucket.empty();
    if (!target.virtual_host) {
        const std::size_t slash = std::min(raw_path.find('/'), raw_path.size());
        auto bucket = percent_decode(raw_path.substr(0, slash), false);
        if (!bucket) return S3Error::invalid_uri;
        target.bucket = std::move(*bucket);
        raw_key = raw_path.substr(std::min(slash + 1, raw_path.size()));
        // A key without a bucket ("//key") would be taken for the root.
        if (target.bucket.empty() && !raw_key.empty()) return S3Error::invalid_bucket_name;
    }
    auto key = percent_decode(raw_key, false);
    const bool nul = key && key->find('\0') != std::string::npos;
    if (!key || nul || target.bucket.find('\0') != std::string::npos) return S3Error::invalid_uri;
    if (key->size() > Request::kKeyBytesMax) {
        return S3Status(S3Error::key_too_long)
            .with_detail("Size", std::to_string(key->size()))
            .with_detail("MaxSizeAllowed", std::to_string(Request::kKeyBytesMax));
    }
    target.key = std::move(*key);
    return target;
}

}  // namespace s3api
