#include "s3api/ops/body_to_content.h"
#include "s3api/ops/conditions.h"
#include "s3api/ops/object_headers.h"
#include "s3api/ops/ops.h"

namespace s3api {

namespace {

// What the answer says of the object.
struct Stored {
    objstore::ETag etag;
    objstore::StoredChecksum checksum;
};

S3Result<Response> answer(const objstore::Result<objstore::OpResult>& done, const Stored& stored) {
    if (!done.ok()) return done.error();
    Response response(200);
    response.header("ETag", quoted(stored.etag));
    if (stored.checksum.kind != objstore::ChecksumKind::none) {
        add_checksum_headers(response, {stored.checksum});
    }
    return response;
}

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
          body_(context.engine.new_object(bucket, request.key, request.body->size_bytes()),
                std::move(expected)) {}

    S3Result<bool> take(BodyReader& body) override { return body_.take(body); }

    S3Result<Response> finish(BodyReader& body) override {
        TRY_ASSIGN(StoredBody stored, complete(body));
        auto done = context_.engine.put(
            bucket_, request_.key, std::move(stored.content), std::move(attributes_));
        return answer(done, {stored.digests.etag, stored.digests.checksum});
    }

    // The same of a small body that is all there, for `answered`. An error: it is not called.
    S3Status start(BodyReader& body, const Op::Answered& answered) {
        TRY_ASSIGN(const bool all, take(body));
        ASSERT(all);
        TRY_ASSIGN(StoredBody stored, complete(body));
        const Stored told{stored.digests.etag, stored.digests.checksum};
        context_.engine.start_put(
            bucket_,
            request_.key,
            std::move(stored.content),
            std::move(attributes_),
            [answered, told](const objstore::Result<objstore::OpResult>& done) {
                answered(answer(done, told));
            });
        return {};
    }

private:
    S3Result<StoredBody> complete(const BodyReader& body) {
        TRY_ASSIGN(StoredBody stored, body_.finish(body));
        attributes_.etag = stored.digests.etag;
        if (stored.digests.checksum.kind != objstore::ChecksumKind::none) {
            attributes_.checksums.push_back(stored.digests.checksum);
        }
        return stored;
    }

    OpContext& context_;
    const Request& request_;
    const objstore::InodeId bucket_;
    objstore::PutAttributes attributes_;
    BodyStore body_;
};

S3Result<std::unique_ptr<PutIntake>> begin(OpContext& context, const Request& request) {
    TRY_ASSIGN(const auto bucket, find_bucket(context, request));
    objstore::PutAttributes attributes;
    TRY_ASSIGN(attributes.headers, stored_headers(request));
    TRY_ASSIGN(attributes.conditions, write_conditions(request));
    const PosixMetadata posix = posix_metadata(attributes.headers);
    attributes.mode = posix.mode;
    attributes.mtime = posix.mtime;
    TRY_ASSIGN(auto expected, expected_digests(request));
    return std::make_unique<PutIntake>(
        context, request, bucket.inode, std::move(attributes), std::move(expected));
}

}  // namespace

S3Result<std::unique_ptr<Intake>> begin_put_object(OpContext& context, Request& request) {
    TRY_ASSIGN(auto begun, begin(context, request));
    std::unique_ptr<Intake> intake = std::move(begun);
    return intake;
}

// The directory of such a key is looked up.
bool start_put_blocks(const Request& request) {
    return request.key.ends_with('/');
}

void start_put_object(OpContext& context, Request& request, Op::Answered answered) {
    const auto start = [&]() -> S3Status {
        TRY_ASSIGN(const auto intake, begin(context, request));
        return intake->start(*request.body, answered);
    };
    if (S3Status refused = start(); !refused.ok()) answered(std::move(refused));
}

S3Result<Response> put_object(OpContext& context, Request& request) {
    return take_whole(begin_put_object(context, request), request);
}

}  // namespace s3api
