#include "s3api/ops/body_to_content.h"
#include "s3api/ops/conditions.h"
#include "s3api/ops/object_headers.h"
#include "s3api/ops/ops.h"

namespace s3api {

S3Result<Response> put_object(OpContext& context, Request& request) {
    TRY_ASSIGN(const auto bucket, find_bucket(context, request));
    objstore::PutAttributes attributes;
    TRY_ASSIGN(attributes.headers, stored_headers(request));
    TRY_ASSIGN(attributes.conditions, write_conditions(request));
    const PosixMetadata posix = posix_metadata(attributes.headers);
    attributes.mode = posix.mode;
    attributes.mtime = posix.mtime;

    TRY_ASSIGN(auto expected, expected_digests(request));
    TRY_ASSIGN(StoredBody stored, store_body(context, request, {}, std::move(expected)));
    attributes.etag = stored.digests.etag;
    const objstore::StoredChecksum checksum = stored.digests.checksum;
    if (checksum.kind != objstore::ChecksumKind::none) attributes.checksums.push_back(checksum);
    const std::string etag = quoted(attributes.etag);
    TRY_ASSIGN(const auto done,
               context.engine.put(
                   bucket.inode, request.key, std::move(stored.content), std::move(attributes)));
    Response response(200);
    response.header("ETag", etag);
    if (checksum.kind != objstore::ChecksumKind::none) add_checksum_headers(response, {checksum});
    return response;
}

}  // namespace s3api
