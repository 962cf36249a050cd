#include "s3api/ops/body_to_content.h"
#include "s3api/ops/conditions.h"
#include "s3api/ops/object_headers.h"
#include "s3api/ops/ops.h"

namespace s3api {

namespace {

class PutIntake final : public Intake {
public:
    PutIntake(OpContext& context,
              const Request& request,
              objstore::InodeId bucket,
              objstore::PutAttributes attributes,
              ExpectedDigests expected)
        : context_(context),
          request_(request),
          bucket_(bucket),
          attributes_(std::move(attributes)),
          body_(context, request.body->size_bytes(), {}, std::move(expected)) {}

    S3Result<bool> take(BodyReader& body) override { return body_.take(body); }

    S3Result<Response> finish(BodyReader& body) override {
        TRY_ASSIGN(StoredBody stored, body_.finish(body));
        attributes_.etag = stored.digests.etag;
        const objstore::StoredChecksum checksum = stored.digests.checksum;
        const bool checked = checksum.kind != objstore::ChecksumKind::none;
        if (checked) attributes_.checksums.push_back(checksum);
        const std::string etag = quoted(attributes_.etag);
        TRY_ASSIGN(const auto done,
                   context_.engine.put(
                       bucket_, request_.key, std::move(stored.content), std::move(attributes_)));
        Response response(200);
        response.header("ETag", etag);
        if (checked) add_checksum_headers(response, {checksum});
        return response;
    }

private:
    OpContext& context_;
    const Request& request_;
    const objstore::InodeId bucket_;
    objstore::PutAttributes attributes_;
    BodyStore body_;
};

}  // namespace

S3Result<std::unique_ptr<Intake>> begin_put_object(OpContext& context, Request& request) {
    TRY_ASSIGN(const auto bucket, find_bucket(context, request));
    objstore::PutAttributes attributes;
    TRY_ASSIGN(attributes.headers, stored_headers(request));
    TRY_ASSIGN(attributes.conditions, write_conditions(request));
    const PosixMetadata posix = posix_metadata(attributes.headers);
    attributes.mode = posix.mode;
    attributes.mtime = posix.mtime;
    TRY_ASSIGN(auto expected, expected_digests(request));
    std::unique_ptr<Intake> intake = std::make_unique<PutIntake>(
        context, request, bucket.inode, std::move(attributes), std::move(expected));
    return intake;
}

S3Result<Response> put_object(OpContext& context, Request& request) {
    return take_whole(begin_put_object(context, request), request);
}

}  // namespace s3api
