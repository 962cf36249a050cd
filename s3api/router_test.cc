#include "s3api/router.h"

#include <string>

#include <doctest/doctest.h>

using namespace s3api;

namespace {

Request request(Method method, std::string_view bucket, std::string_view key, const char* query) {
    Request out;
    out.method = method;
    out.bucket = bucket;
    out.key = key;
    out.query = Query::parse(query).value();
    return out;
}

Operation routed(const Request& asked) {
    const auto operation = route(asked);
    REQUIRE(operation.ok());
    return *operation;
}

S3Error refused(const Request& asked) {
    const auto operation = route(asked);
    REQUIRE(!operation.ok());
    return operation.error().error();
}

Request copying(Request out) {
    out.headers.add({"X-Amz-Copy-Source", "b/k"});
    return out;
}

}  // namespace

TEST_CASE("each operation is found by method, level and sub-resource") {
    using enum Method;
    using enum Operation;
    CHECK(routed(request(get, "", "", "")) == list_buckets);
    CHECK(routed(request(put, "b", "", "")) == create_bucket);
    CHECK(routed(request(head, "b", "", "")) == head_bucket);
    CHECK(routed(request(del, "b", "", "")) == delete_bucket);
    CHECK(routed(request(get, "b", "", "location")) == get_bucket_location);
    CHECK(routed(request(get, "b", "", "versioning=")) == get_bucket_versioning);
    CHECK(routed(request(get, "b", "", "prefix=&delimiter")) == list_objects);
    CHECK(routed(request(get, "b", "", "list-type=2&prefix=a")) == list_objects_v2);
    CHECK(routed(request(get, "b", "", "versions&max-keys=1")) == list_object_versions);
    CHECK(routed(request(get, "b", "", "uploads")) == list_multipart_uploads);
    CHECK(routed(request(post, "b", "", "delete=")) == delete_objects);
    CHECK(routed(request(put, "b", "k", "x-id=PutObject")) == put_object);
    CHECK(routed(copying(request(put, "b", "k", ""))) == copy_object);
    CHECK(routed(request(get, "b", "k", "partNumber=1&versionId=")) == get_object);
    CHECK(routed(request(head, "b", "k", "")) == head_object);
    CHECK(routed(request(del, "b", "k", "")) == delete_object);
    CHECK(routed(request(get, "b", "k", "tagging")) == get_object_tagging);
    CHECK(routed(request(post, "b", "k", "uploads=")) == create_multipart_upload);
    CHECK(routed(request(put, "b", "k", "uploadId=u&partNumber=1")) == upload_part);
    CHECK(routed(copying(request(put, "b", "k", "uploadId=u&partNumber=1"))) == upload_part_copy);
    CHECK(routed(request(post, "b", "k", "uploadId=u")) == complete_multipart_upload);
    CHECK(routed(request(del, "b", "k", "uploadId=u")) == abort_multipart_upload);
    CHECK(routed(request(get, "b", "k", "uploadId=u")) == list_parts);
}

TEST_CASE("what S3 has and this server has not is not implemented") {
    using enum Method;
    for (const auto& asked : {request(get, "b", "", "acl"),
                              request(put, "b", "", "policy"),
                              request(del, "b", "", "lifecycle"),
                              request(put, "b", "k", "tagging"),
                              request(del, "b", "k", "tagging"),
                              request(put, "b", "k", "retention="),
                              request(post, "b", "k", "select&select-type=2"),
                              request(post, "b", "", ""),
                              request(options, "b", "k", "")}) {
        CHECK(refused(asked) == S3Error::not_implemented);
    }
}

TEST_CASE("an unknown sub-resource never falls through to the operation without it") {
    using enum Method;
    CHECK(refused(request(del, "b", "", "something-new")) == S3Error::not_implemented);
    CHECK(refused(request(put, "b", "k", "something-new=")) == S3Error::not_implemented);
    CHECK(routed(request(get, "b", "k", "utm_source=mail&X-Amz-Foo")) == Operation::get_object);
}

TEST_CASE("a method that a resource does not have is not allowed") {
    using enum Method;
    CHECK(refused(request(put, "", "", "")) == S3Error::method_not_allowed);
    CHECK(refused(request(post, "b", "k", "")) == S3Error::method_not_allowed);
    CHECK(refused(request(del, "b", "", "location")) == S3Error::method_not_allowed);
    CHECK(refused(request(other, "b", "k", "")) == S3Error::method_not_allowed);
}

TEST_CASE("a part needs both its upload and its number") {
    using enum Method;
    CHECK(refused(request(put, "b", "k", "partNumber=1")) == S3Error::invalid_argument);
    CHECK(refused(request(put, "b", "k", "uploadId=u")) == S3Error::invalid_argument);
    CHECK(refused(request(get, "b", "", "list-type=3")) == S3Error::invalid_argument);
}

TEST_CASE("every operation has a name of its own") {
    for (std::size_t i = 0; i < kOperations; ++i) {
        for (std::size_t k = 0; k < i; ++k) {
            CHECK(to_string(static_cast<Operation>(i)) != to_string(static_cast<Operation>(k)));
        }
    }
}
