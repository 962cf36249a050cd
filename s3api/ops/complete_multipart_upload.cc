#include <fmt/format.h>

#include "objstore/base/number.h"
#include "s3api/ops/checksums.h"
#include "s3api/ops/conditions.h"
#include "s3api/ops/multipart_checksum.h"
#include "s3api/ops/object_headers.h"
#include "s3api/ops/ops.h"
#include "s3api/ops/uploads.h"
#include "s3api/xml/reader.h"
#include "s3api/xml/writer.h"

namespace s3api {

using objstore::ChecksumKind;

namespace {

constexpr std::size_t kXmlBytesMax = 2 << 20;
constexpr std::size_t kPartsMax = 10000;
constexpr std::size_t kPartsPage = 100;  // each may have thousands of extents

S3Result<objstore::CompleteUploadOp::Part> parse_part(const XmlNode& node, ChecksumKind kind) {
    objstore::CompleteUploadOp::Part part;
    const auto number =
        objstore::parse_number<std::uint64_t>(node.child_text("PartNumber").value_or(""));
    const auto etag = node.child_text("ETag");
    if (!number || *number == 0 || *number > kPartsMax || !etag) return S3Error::malformed_xml;
    part.number = static_cast<std::uint32_t>(*number);
    std::string_view one = *etag;
    if (one.size() >= 2 && one.front() == '"' && one.back() == '"') {
        one = one.substr(1, one.size() - 2);
    }
    part.etag = one;
    if (kind == ChecksumKind::none) return part;
    const auto checksum = node.child_text("Checksum" + std::string(checksum_name(kind)));
    if (!checksum) return part;
    auto raw = base64_decode(*checksum);
    if (!raw) return S3Error::invalid_part;
    part.checksum = *std::move(raw);
    return part;
}

S3Status parse_parts(std::string text, ChecksumKind kind, objstore::CompleteUploadOp& op) {
    TRY_ASSIGN(const XmlDocument document, XmlDocument::parse(std::move(text), kXmlBytesMax));
    if (document.root().name() != "CompleteMultipartUpload") return S3Error::malformed_xml;
    for (const XmlNode& node : document.root().children("Part")) {
        if (op.parts.size() == kPartsMax) return S3Error::malformed_xml;
        TRY_ASSIGN(auto part, parse_part(node, kind));
        if (!op.parts.empty() && part.number <= op.parts.back().number) {
            return S3Error::invalid_part_order;
        }
        op.parts.push_back(std::move(part));
    }
    if (op.parts.empty()) return S3Error::malformed_xml;
    return {};
}

// The stored parts that the list names, in its order. A missing one is for the engine to name.
S3Result<std::vector<objstore::PartRow>> listed_parts(OpContext& context,
                                                      const objstore::CompleteUploadOp& op) {
    std::vector<objstore::PartRow> listed;
    for (std::uint32_t after = 0;;) {
        TRY_ASSIGN(auto page, context.engine.names().parts(op.upload, after, kPartsPage));
        for (objstore::PartRow& part : page) {
            if (listed.size() == op.parts.size()) return listed;
            if (part.number != op.parts[listed.size()].number) continue;
            part.extents = std::vector<objstore::Extent>();  // gives its memory back, as {} not
            listed.push_back(std::move(part));
        }
        if (page.size() < kPartsPage) return listed;
        after = page.back().number;
    }
}

S3Result<std::optional<std::uint64_t>> expected_size(const Request& request) {
    const auto text = request.header("x-amz-mp-object-size");
    if (!text) return std::optional<std::uint64_t>();
    const auto size = objstore::parse_number<std::uint64_t>(*text);
    if (!size) return S3Error::invalid_argument;
    return size;
}

S3Result<objstore::OpResult> complete(OpContext& context,
                                      Request& request,
                                      const objstore::BucketRow& bucket) {
    TRY_ASSIGN(auto upload, find_upload(context, request, bucket));
    objstore::CompleteUploadOp op;
    op.bucket = bucket.inode;
    op.key = request.key;
    op.upload = upload.id;
    TRY_ASSIGN(std::string text, read_text(*request.body, kXmlBytesMax));
    TRY(parse_parts(std::move(text), upload.checksum_kind, op));
    TRY_ASSIGN(op.conditions, write_conditions(request));
    TRY_ASSIGN(op.expected_size, expected_size(request));
    TRY_ASSIGN(const auto parts, listed_parts(context, op));
    TRY_ASSIGN(auto checksum, completed_checksum(request, upload, parts));
    if (checksum.kind != ChecksumKind::none) op.inode.checksums.push_back(std::move(checksum));
    const PosixMetadata posix = posix_metadata(upload.headers);
    op.mode = posix.mode;
    op.inode.mtime = posix.mtime.value_or(0);
    op.inode.headers = std::move(upload.headers);
    TRY_ASSIGN(auto done, context.engine.complete_upload(std::move(op), parts));
    context.completed_uploads.add(
        {upload.id, bucket.inode, request.key, done.inode->id, done.inode->etag});
    return done;
}

// What an upload that was completed before became, if it still is what the key shows.
objstore::InodePtr completed_before(OpContext& context,
                                    const Request& request,
                                    const objstore::BucketRow& bucket) {
    const auto id = parse_upload_id(request.parameter("uploadId").value_or(""));
    const auto found = id ? context.completed_uploads.find(*id) : std::nullopt;
    if (!found || found->bucket != bucket.inode || found->key != request.key) return nullptr;
    const auto object = context.engine.stat(bucket.inode, request.key);
    if (!object.ok() || object->inode->id != found->inode) return nullptr;
    return object->inode->etag.to_string() == found->etag.to_string() ? object->inode : nullptr;
}

Response completed(const Request& request, const objstore::Inode& inode) {
    XmlWriter xml;
    xml.open("CompleteMultipartUploadResult", XmlWriter::kS3Namespace);
    const std::string_view host = request.header("host").value_or("");
    xml.element("Location", fmt::format("http://{}/{}/{}", host, request.bucket, request.key));
    xml.element("Bucket", request.bucket).element("Key", request.key);
    xml.quoted("ETag", inode.etag.to_string());
    for (const auto& checksum : inode.checksums) {
        const std::string name = "Checksum" + std::string(checksum_name(checksum.kind));
        xml.element(name, checksum_text(checksum));
        xml.element("ChecksumType", checksum.parts != 0 ? "COMPOSITE" : "FULL_OBJECT");
    }
    xml.close();
    return Response::xml(std::move(xml).take());
}

}  // namespace

S3Result<Response> complete_multipart_upload(OpContext& context, Request& request) {
    TRY_ASSIGN(const auto bucket, find_bucket(context, request));
    auto done = complete(context, request, bucket);
    if (done.ok()) return completed(request, *done->inode);
    S3Status error = std::move(done).error();
    if (error.error() != S3Error::no_such_upload) return error;
    // It may be asked for again because its answer was lost.
    const auto inode = completed_before(context, request, bucket);
    if (inode == nullptr) return error;
    return completed(request, *inode);
}

}  // namespace s3api
