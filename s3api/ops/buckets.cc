// ListBuckets, CreateBucket, HeadBucket, DeleteBucket, GetBucketLocation, GetBucketVersioning.
#include <fmt/format.h>

#include "objstore/base/bucket_name.h"
#include "s3api/base/time.h"
#include "s3api/ops/ops.h"
#include "s3api/xml/reader.h"
#include "s3api/xml/writer.h"

namespace s3api {

namespace {

constexpr std::size_t kConfigurationBytesMax = 64 * objstore::kKiB;

// The region a CreateBucketConfiguration asks for; empty: none.
S3Result<std::string> wanted_region(Request& request) {
    TRY_ASSIGN(std::string text, read_text(*request.body, kConfigurationBytesMax));
    if (text.empty()) return std::string();
    TRY_ASSIGN(const XmlDocument document, XmlDocument::parse(std::move(text)));
    if (document.root().name() != "CreateBucketConfiguration") return S3Error::malformed_xml;
    return std::string(document.root().child_text("LocationConstraint").value_or(""));
}

}  // namespace

S3Result<Response> list_buckets(OpContext& context, Request& request) {
    TRY_ASSIGN(const std::uint64_t limit,
               number_parameter(request, "max-buckets", 10000, {1, 10000}));
    const std::string prefix(request.parameter("prefix").value_or(""));
    const std::string after(request.parameter("continuation-token").value_or(""));
    TRY_ASSIGN(auto buckets, context.engine.names().buckets());
    std::sort(buckets.begin(), buckets.end(), [](const auto& a, const auto& b) {
        return a.name < b.name;
    });
    XmlWriter xml;
    xml.open("ListAllMyBucketsResult", XmlWriter::kS3Namespace);
    xml.open("Owner").element("ID", context.owner_id);
    xml.element("DisplayName", context.owner_name).close();
    xml.open("Buckets");
    std::size_t count = 0;
    std::string last;
    bool more = false;
    for (const objstore::BucketRow& bucket : buckets) {
        if (!bucket.name.starts_with(prefix) || bucket.name <= after) continue;
        if ((more = count == limit)) break;
        xml.open("Bucket").element("Name", bucket.name);
        xml.element("CreationDate", format_iso8601(bucket.created));
        xml.element("BucketRegion", context.region).close();
        last = bucket.name;
        ++count;
    }
    xml.close();
    if (more) xml.element("ContinuationToken", last);
    if (!prefix.empty()) xml.element("Prefix", prefix);
    xml.close();
    return Response::xml(std::move(xml).take());
}

S3Result<Response> create_bucket(OpContext& context, Request& request) {
    TRY(refuse_unsupported(context, request));
    if (!objstore::valid_bucket_name(request.bucket)) {
        return S3Status(S3Error::invalid_bucket_name).with_detail("BucketName", request.bucket);
    }
    TRY_ASSIGN(const std::string region, wanted_region(request));
    if (!region.empty() && region != context.region) {
        return S3Status(S3Error::illegal_location_constraint,
                        fmt::format("The {} location constraint is incompatible with the region "
                                    "{} of this server.",
                                    region,
                                    context.region));
    }
    objstore::CreateBucketOp op;
    op.bucket.name = request.bucket;
    op.bucket.created = context.clock.now();
    op.bucket.region = context.region;
    op.bucket.uid = context.new_buckets.uid;
    op.bucket.gid = context.new_buckets.gid;
    op.bucket.directory_mode = context.new_buckets.directory_mode;
    op.bucket.file_mode = context.new_buckets.directory_mode & 0666;
    auto made = context.engine.apply(std::move(op), {.door = objstore::Door::s3});
    if (made.code() == objstore::Code::already_exists) {
        return S3Status(S3Error::bucket_already_owned_by_you)
            .with_detail("BucketName", request.bucket);
    }
    if (!made.ok()) return std::move(made).error();
    Response response(200);
    response.header("Location", "/" + request.bucket);
    return response;
}

S3Result<Response> head_bucket(OpContext& context, Request& request) {
    TRY_ASSIGN(const auto bucket, find_bucket(context, request));
    Response response(200);
    response.header("x-amz-bucket-region", context.region);
    response.header("x-amz-access-point-alias", "false");
    return response;
}

S3Result<Response> delete_bucket(OpContext& context, Request& request) {
    TRY_ASSIGN(const auto bucket, find_bucket(context, request));
    objstore::DeleteBucketOp op{.name = bucket.name, .time = context.clock.now()};
    auto gone = context.engine.apply(std::move(op), {.door = objstore::Door::s3});
    if (gone.why() == objstore::Why::not_empty) {
        // Things that S3 does not list can be in the way: the message names the first.
        return S3Status(S3Error::bucket_not_empty, std::string(gone.error().message()))
            .with_detail("BucketName", request.bucket);
    }
    if (!gone.ok()) return std::move(gone).error();
    return Response(204);
}

S3Result<Response> get_bucket_location(OpContext& context, Request& request) {
    TRY_ASSIGN(const auto bucket, find_bucket(context, request));
    XmlWriter xml;
    // The first region's name is empty here, as clients expect.
    xml.open("LocationConstraint", XmlWriter::kS3Namespace);
    std::string text = std::move(xml.close()).take();
    if (context.region != "us-east-1") {
        text = fmt::format("{}<LocationConstraint xmlns=\"{}\">{}</LocationConstraint>",
                           XmlWriter::kDeclaration,
                           XmlWriter::kS3Namespace,
                           context.region);
    }
    return Response::xml(std::move(text));
}

S3Result<Response> get_bucket_versioning(OpContext& context, Request& request) {
    TRY_ASSIGN(const auto bucket, find_bucket(context, request));
    XmlWriter xml;
    xml.open("VersioningConfiguration", XmlWriter::kS3Namespace).close();
    return Response::xml(std::move(xml).take());
}

}  // namespace s3api
