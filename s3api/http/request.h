#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "objstore/base/bytes.h"
#include "s3api/base/uri.h"
#include "s3api/http/body.h"

namespace s3api {

enum class Method : std::uint8_t { get, head, put, post, del, options, other };

std::string_view to_string(Method method);

// One request whose head has been read, authenticated and routed. Views are into the connection's
// buffers and live as long as the request. Threads: one at a time.
struct Request {
    static constexpr std::size_t kKeyBytesMax = 1024;

    Method method = Method::other;
    std::string_view method_text;  // as sent
    std::string_view raw_path;     // as sent, before `?`
    std::string_view raw_query;    // as sent, after `?`
    Headers headers;
    Query query;

    // Raw bytes after percent-decoding, from path or virtual-host style. Empty: absent. Checked by
    // the server: a key has at most kKeyBytesMax bytes and no NUL; it may well be invalid UTF-8,
    // begin with or hold `//`.
    std::string bucket;
    std::string key;

    std::string request_id;    // x-amz-request-id
    std::string_view host_id;  // x-amz-id-2
    std::string_view remote_ip;
    std::string access_key;      // who signed; empty when anonymous
    BodyReader* body = nullptr;  // never null when an op runs; of size 0 when there is none
    // Set while an op that takes long runs, once nobody waits for its answer. May be null.
    const std::atomic<bool>* abandoned = nullptr;

    std::optional<std::string_view> header(std::string_view name) const {
        return headers.find(name);
    }
    std::optional<std::string_view> parameter(std::string_view name) const {
        return query.find(name);
    }
    bool is_abandoned() const { return abandoned != nullptr && abandoned->load(); }
    bool has_bucket() const { return !bucket.empty(); }
    bool has_key() const { return !key.empty(); }
    // The XML element <Resource> of errors: "/bucket/key" as sent.
    std::string_view resource() const { return raw_path; }
};

// Where a request points: the Host header against the configured domains, then the path.
struct Target {
    std::string bucket;
    std::string key;
    bool virtual_host = false;  // the bucket came from the host
};
// `domain` empty: path style alone. `host` may carry a port. invalid_uri: a broken escape, a NUL or
// a path without its leading slash. key_too_long.
S3Result<Target> parse_target(std::string_view host,
                              std::string_view raw_path,
                              std::string_view domain);

}  // namespace s3api
