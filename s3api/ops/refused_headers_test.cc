#include "s3api/ops/refused_headers.h"

#include <doctest/doctest.h>

namespace s3api {
namespace {

std::optional<S3Error> refusal(Method method, std::string_view query, std::vector<Field> fields) {
    Request request;
    request.method = method;
    request.bucket = "b";
    request.key = "k";
    request.query = *Query::parse(query);
    for (const Field& field : fields) request.headers.add(field);
    const S3Status status = refuse_headers(request);
    return status.ok() ? std::nullopt : std::optional(status.error());
}

std::optional<S3Error> refusal(Method method, Field field) {
    return refusal(method, "", {field});
}

TEST_CASE("a header that gives a write another meaning is not ignored") {
    for (const char* name : {"x-amz-write-offset-bytes",
                             "X-Amz-Rename-Source",
                             "x-amz-server-side-encryption-customer-key",
                             "x-amz-object-lock-mode",
                             "x-amz-something-new",
                             "Content-Range",
                             "If-Unmodified-Since",
                             "x-amz-if-match-size",
                             "x-amz-copy-source-range"}) {
        CAPTURE(name);
        CHECK(refusal(Method::put, {name, "0"}) == S3Error::not_implemented);
    }
    CHECK(refusal(Method::put, {"x-amz-acl", "public-read"}) ==
          S3Error::access_control_list_not_supported);
    CHECK(refusal(Method::put, {"x-amz-storage-class", "GLACIER"}) ==
          S3Error::invalid_storage_class);
}

TEST_CASE("what is heeded, harmless or only for reads passes") {
    for (const char* name : {"x-amz-date",
                             "X-Amz-Meta-Anything",
                             "x-amz-checksum-crc32",
                             "x-amz-copy-source",
                             "x-amz-security-token",
                             "Content-Type",
                             "x-amzn-trace-id"}) {
        CAPTURE(name);
        CHECK(refusal(Method::put, {name, "0"}) == std::nullopt);
    }
    CHECK(refusal(Method::get, {"x-amz-something-new", "0"}) == std::nullopt);
    CHECK(refusal(Method::get, {"If-Unmodified-Since", "0"}) == std::nullopt);
    CHECK(refusal(Method::del, {"x-amz-if-match-size", "0"}) == std::nullopt);
    CHECK(refusal(Method::put, "partNumber=1&uploadId=x", {{"x-amz-copy-source-range", "0"}}) ==
          std::nullopt);
    CHECK(refusal(Method::put, {"x-amz-acl", "private"}) == std::nullopt);
    CHECK(refusal(Method::put, {"x-amz-bucket-object-lock-enabled", "false"}) == std::nullopt);
}

}  // namespace
}  // namespace s3api
