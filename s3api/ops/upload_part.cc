// UploadPart and UploadPartCopy.
#include <fmt/format.h>
#include <openssl/evp.h>

#include "s3api/base/time.h"
#include "s3api/ops/body_to_content.h"
#include "s3api/ops/byte_range.h"
#include "s3api/ops/copy_source.h"
#include "s3api/ops/multipart_checksum.h"
#include "s3api/ops/ops.h"
#include "s3api/ops/uploads.h"
#include "s3api/xml/writer.h"

namespace s3api {

using objstore::ChecksumKind;

namespace {

constexpr std::uint64_t kPartsMax = 10000;
constexpr std::uint64_t kPartBytesMax = std::uint64_t{5} << 30;
constexpr int kCopyAttempts = 8;

S3Result<std::uint32_t> part_number(const Request& request) {
    auto number = number_parameter(request, "partNumber", 0, {1, kPartsMax});
    if (number.ok() && *number != 0) return static_cast<std::uint32_t>(*number);
    return S3Status(S3Error::invalid_argument,
                    "Part number must be an integer between 1 and 10000, inclusive")
        .with_detail("ArgumentName", "partNumber")
        .with_detail("ArgumentValue", std::string(request.parameter("partNumber").value_or("")));
}

// No MD5 is at hand without reading: the ETag follows from what was copied.
objstore::ETag copied_etag(const objstore::CopySource& source) {
    const std::string text =
        fmt::format("{} {} {}", source.inode->etag.to_string(), source.offset, source.length);
    objstore::ETag etag;
    const int ok = EVP_Digest(text.data(),
                              text.size(),
                              reinterpret_cast<unsigned char*>(etag.digest.data()),
                              nullptr,
                              EVP_md5(),
                              nullptr);
    ASSERT(ok == 1);
    return etag;
}

class PartIntake final : public Intake {
public:
    PartIntake(OpContext& context,
               const Request& request,
               objstore::UploadRow upload,
               std::uint32_t number,
               ExpectedDigests expected)
        : context_(context),
          upload_(std::move(upload)),
          number_(number),
          body_(
              context.engine.new_content({.inode = upload_.inode, .generation = 1, .part = number},
                                         request.body->size_bytes()),
              std::move(expected)) {}

    S3Result<bool> take(BodyReader& body) override { return body_.take(body); }

    S3Result<Response> finish(BodyReader& body) override {
        TRY_ASSIGN(StoredBody stored, body_.finish(body));
        objstore::PartAttributes attributes{number_, stored.digests.etag, stored.digests.checksum};
        TRY_ASSIGN(
            const auto part,
            context_.engine.put_part(upload_, std::move(stored.content), std::move(attributes)));
        Response response(200);
        response.header("ETag", quoted(part.etag));
        if (part.checksum.kind != ChecksumKind::none) {
            response.header(checksum_header(part.checksum.kind), checksum_text(part.checksum));
        }
        return response;
    }

private:
    OpContext& context_;
    const objstore::UploadRow upload_;
    const std::uint32_t number_;
    BodyStore body_;
};

}  // namespace

S3Result<std::unique_ptr<Intake>> begin_upload_part(OpContext& context, Request& request) {
    TRY_ASSIGN(const auto bucket, find_bucket(context, request));
    TRY_ASSIGN(const std::uint32_t number, part_number(request));
    TRY_ASSIGN(auto upload, find_upload(context, request, bucket));
    TRY_ASSIGN(auto expected, expected_digests(request));
    if (expected.kind == ChecksumKind::none) expected.kind = upload.checksum_kind;
    if (upload.checksum_kind != ChecksumKind::none && expected.kind != upload.checksum_kind) {
        return checksum_mismatch(upload.checksum_kind, expected.kind);
    }
    std::unique_ptr<Intake> intake = std::make_unique<PartIntake>(
        context, request, std::move(upload), number, std::move(expected));
    return intake;
}

S3Result<Response> upload_part(OpContext& context, Request& request) {
    return take_whole(begin_upload_part(context, request), request);
}

S3Result<Response> upload_part_copy(OpContext& context, Request& request) {
    TRY_ASSIGN(const auto bucket, find_bucket(context, request));
    TRY_ASSIGN(const std::uint32_t number, part_number(request));
    TRY_ASSIGN(const auto upload, find_upload(context, request, bucket));
    for (int attempt = 0; attempt < kCopyAttempts; ++attempt) {
        TRY_ASSIGN(const auto source, find_copy_source(context, request));
        ByteRange range{0, source.inode->size};
        if (const auto header = request.header("x-amz-copy-source-range")) {
            TRY_ASSIGN(range, parse_copy_range(*header, source.inode->size));
        }
        if (range.length > kPartBytesMax) return S3Error::entity_too_large;
        const objstore::CopySource copied{source.inode, range.first, range.length};
        auto part = context.engine.copy_part(upload, copied, {number, copied_etag(copied), {}});
        const bool moved =
            part.why() == objstore::Why::stale ||
            (part.code() == objstore::Code::conflict && part.why() == objstore::Why::none);
        if (moved) continue;
        if (!part.ok()) return std::move(part).error();
        XmlWriter xml;
        xml.open("CopyPartResult", XmlWriter::kS3Namespace);
        xml.element("LastModified", format_iso8601(part->last_modified));
        xml.quoted("ETag", part->etag.to_string()).close();
        return Response::xml(std::move(xml).take());
    }
    return S3Status(S3Error::slow_down, "The source is being replaced too often; try again");
}

}  // namespace s3api
