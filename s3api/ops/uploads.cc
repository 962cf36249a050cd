// CreateMultipartUpload, AbortMultipartUpload, ListMultipartUploads, ListParts.
#include "s3api/ops/uploads.h"

#include "objstore/base/number.h"
#include "s3api/base/time.h"
#include "s3api/base/uri.h"
#include "s3api/ops/checksums.h"
#include "s3api/ops/multipart_checksum.h"
#include "s3api/ops/object_headers.h"
#include "s3api/ops/ops.h"
#include "s3api/xml/writer.h"

namespace s3api {

using objstore::ChecksumKind;

namespace {

constexpr std::uint64_t kPageMax = 1000;

S3Status parse_checksum_wishes(const Request& request, objstore::UploadRow& upload) {
    const auto algorithm = request.header("x-amz-checksum-algorithm");
    const auto type = request.header("x-amz-checksum-type");
    if (algorithm) {
        const auto kind = parse_checksum_name(*algorithm);
        if (!kind) {
            return {S3Error::invalid_request, "Checksum algorithm provided is unsupported."};
        }
        upload.checksum_kind = *kind;
    }
    upload.checksum_full_object = upload.checksum_kind == ChecksumKind::crc64nvme;
    if (!type) return {};
    const bool full = *type == "FULL_OBJECT";
    const bool possible =
        full ? combines(upload.checksum_kind) : upload.checksum_kind != ChecksumKind::crc64nvme;
    if (!algorithm || !possible || (!full && *type != "COMPOSITE")) {
        return {S3Error::invalid_request,
                "The checksum type provided can not be used with the checksum algorithm."};
    }
    upload.checksum_full_object = full;
    return {};
}

void write_person(XmlWriter& xml, std::string_view role, const OpContext& context) {
    xml.open(role).element("ID", context.owner_id);
    xml.element("DisplayName", context.owner_name).close();
}

void write_checksum_kind(XmlWriter& xml, const objstore::UploadRow& upload) {
    if (upload.checksum_kind == ChecksumKind::none) return;
    xml.element("ChecksumAlgorithm", checksum_name(upload.checksum_kind));
    xml.element("ChecksumType", upload.checksum_full_object ? "FULL_OBJECT" : "COMPOSITE");
}

}  // namespace

std::string upload_id_text(std::uint64_t id) {
    return objstore::to_hex(id);
}

std::optional<std::uint64_t> parse_upload_id(std::string_view text) {
    return text.size() == 16 ? objstore::parse_number<std::uint64_t>(text, 16) : std::nullopt;
}

S3Result<objstore::UploadRow> find_upload(OpContext& context,
                                          const Request& request,
                                          const objstore::BucketRow& bucket) {
    const auto id = parse_upload_id(request.parameter("uploadId").value_or(""));
    if (!id) return S3Error::no_such_upload;
    TRY_ASSIGN(auto upload, context.engine.names().upload(*id));
    if (upload.bucket != bucket.inode || upload.key != request.key) return S3Error::no_such_upload;
    return upload;
}

S3Result<Response> create_multipart_upload(OpContext& context, Request& request) {
    TRY_ASSIGN(const auto bucket, find_bucket(context, request));
    objstore::CreateUploadOp op;
    op.upload.bucket = bucket.inode;
    op.upload.key = request.key;
    op.upload.initiated = context.clock.now();
    op.upload.id = context.random.next();
    TRY_ASSIGN(op.upload.headers, stored_headers(request));
    TRY(parse_checksum_wishes(request, op.upload));
    const objstore::UploadRow upload = op.upload;
    TRY_ASSIGN(const auto done, context.engine.apply(std::move(op), {.door = objstore::Door::s3}));
    XmlWriter xml;
    xml.open("InitiateMultipartUploadResult", XmlWriter::kS3Namespace);
    xml.element("Bucket", request.bucket).element("Key", request.key);
    xml.element("UploadId", upload_id_text(upload.id)).close();
    Response response = Response::xml(std::move(xml).take());
    if (upload.checksum_kind != ChecksumKind::none) {
        response.header("x-amz-checksum-algorithm", checksum_name(upload.checksum_kind));
        response.header("x-amz-checksum-type",
                        upload.checksum_full_object ? "FULL_OBJECT" : "COMPOSITE");
    }
    return response;
}

S3Result<Response> abort_multipart_upload(OpContext& context, Request& request) {
    TRY_ASSIGN(const auto bucket, find_bucket(context, request));
    TRY_ASSIGN(const auto upload, find_upload(context, request, bucket));
    objstore::AbortUploadOp op{bucket.inode, request.key, upload.id};
    TRY_ASSIGN(const auto done, context.engine.apply(std::move(op), {.door = objstore::Door::s3}));
    return Response(204);
}

namespace {

// Where a page of uploads begins, what it may hold, and how it is shown.
struct UploadListing {
    std::string prefix, delimiter, key_marker, id_marker;
    std::uint64_t limit = kPageMax;
    bool url = false;
    std::vector<objstore::UploadRow> uploads;
    std::vector<std::string> common_prefixes;
    bool truncated = false;
    std::string next_key, next_id;

    std::string show(std::string_view text) const {
        return url ? percent_encode(text, Slash::keep) : std::string(text);
    }
    std::size_t size() const { return uploads.size() + common_prefixes.size(); }
};

// Takes the upload into the page. False: the page is full.
bool take_upload(UploadListing& listing, const objstore::UploadRow& upload) {
    std::string common;
    if (!listing.delimiter.empty()) {
        const std::size_t at = upload.key.find(listing.delimiter, listing.prefix.size());
        if (at != std::string::npos) common = upload.key.substr(0, at + listing.delimiter.size());
    }
    const bool again =
        !common.empty() &&
        ((!listing.common_prefixes.empty() && listing.common_prefixes.back() == common) ||
         common == listing.key_marker);
    if (again) return true;
    if (listing.size() == listing.limit) {
        listing.truncated = true;
        return false;
    }
    listing.next_key = common.empty() ? upload.key : common;
    listing.next_id = common.empty() ? upload_id_text(upload.id) : "";
    if (common.empty()) {
        listing.uploads.push_back(upload);
    } else {
        listing.common_prefixes.push_back(std::move(common));
    }
    return true;
}

S3Status collect_uploads(OpContext& context, objstore::InodeId bucket, UploadListing& listing) {
    // Without an id, all uploads of the marker's key have been seen.
    std::string key = listing.key_marker;
    std::uint64_t id = parse_upload_id(listing.id_marker).value_or(UINT64_MAX);
    if (key < listing.prefix) {
        key = listing.prefix;
        id = 0;
    }
    while (listing.limit != 0) {
        TRY_ASSIGN(const auto page, context.engine.names().uploads(bucket, key, id, kPageMax));
        for (const objstore::UploadRow& upload : page) {
            if (!upload.key.starts_with(listing.prefix)) {
                if (upload.key > listing.prefix) return {};
                continue;
            }
            if (!take_upload(listing, upload)) return {};
        }
        if (page.size() < kPageMax) return {};
        key = page.back().key;
        id = page.back().id;
    }
    return {};
}

}  // namespace

S3Result<Response> list_multipart_uploads(OpContext& context, Request& request) {
    TRY_ASSIGN(const auto bucket, find_bucket(context, request));
    UploadListing listing;
    listing.prefix = request.parameter("prefix").value_or("");
    listing.delimiter = request.parameter("delimiter").value_or("");
    listing.key_marker = request.parameter("key-marker").value_or("");
    if (!listing.key_marker.empty()) {
        listing.id_marker = request.parameter("upload-id-marker").value_or("");
    }
    listing.url = request.parameter("encoding-type").value_or("") == "url";
    TRY_ASSIGN(listing.limit, number_parameter(request, "max-uploads", kPageMax, {0, INT32_MAX}));
    listing.limit = std::min(listing.limit, kPageMax);
    TRY(collect_uploads(context, bucket.inode, listing));

    XmlWriter xml;
    xml.open("ListMultipartUploadsResult", XmlWriter::kS3Namespace);
    xml.element("Bucket", bucket.name);
    xml.element("KeyMarker", listing.show(listing.key_marker));
    xml.element("UploadIdMarker", listing.id_marker);
    if (listing.truncated) {
        xml.element("NextKeyMarker", listing.show(listing.next_key));
        xml.element("NextUploadIdMarker", listing.next_id);
    }
    xml.element("Prefix", listing.show(listing.prefix));
    if (!listing.delimiter.empty()) xml.element("Delimiter", listing.show(listing.delimiter));
    if (listing.url) xml.element("EncodingType", "url");
    xml.element("MaxUploads", listing.limit).element("IsTruncated", listing.truncated);
    for (const objstore::UploadRow& upload : listing.uploads) {
        xml.open("Upload").element("Key", listing.show(upload.key));
        xml.element("UploadId", upload_id_text(upload.id));
        write_person(xml, "Initiator", context);
        write_person(xml, "Owner", context);
        xml.element("StorageClass", "STANDARD");
        xml.element("Initiated", format_iso8601(upload.initiated));
        write_checksum_kind(xml, upload);
        xml.close();
    }
    for (const std::string& prefix : listing.common_prefixes) {
        xml.open("CommonPrefixes").element("Prefix", listing.show(prefix)).close();
    }
    xml.close();
    return Response::xml(std::move(xml).take());
}

S3Result<Response> list_parts(OpContext& context, Request& request) {
    TRY_ASSIGN(const auto bucket, find_bucket(context, request));
    TRY_ASSIGN(const auto upload, find_upload(context, request, bucket));
    TRY_ASSIGN(const std::uint64_t wanted,
               number_parameter(request, "max-parts", kPageMax, {0, INT32_MAX}));
    const std::uint64_t limit = std::min(wanted, kPageMax);
    TRY_ASSIGN(const std::uint64_t after,
               number_parameter(request, "part-number-marker", 0, {0, INT32_MAX}));
    TRY_ASSIGN(
        auto parts,
        context.engine.names().parts(upload.id, static_cast<std::uint32_t>(after), limit + 1));
    const bool truncated = parts.size() > limit;
    if (truncated) parts.resize(limit);
    XmlWriter xml;
    xml.open("ListPartsResult", XmlWriter::kS3Namespace);
    xml.element("Bucket", bucket.name).element("Key", upload.key);
    xml.element("UploadId", upload_id_text(upload.id));
    write_person(xml, "Initiator", context);
    write_person(xml, "Owner", context);
    xml.element("StorageClass", "STANDARD").element("PartNumberMarker", after);
    if (!parts.empty()) {
        xml.element("NextPartNumberMarker", std::uint64_t{parts.back().number});
    }
    xml.element("MaxParts", limit).element("IsTruncated", truncated);
    write_checksum_kind(xml, upload);
    for (const objstore::PartRow& part : parts) {
        xml.open("Part").element("PartNumber", std::uint64_t{part.number});
        xml.element("LastModified", format_iso8601(part.last_modified));
        xml.quoted("ETag", part.etag.to_string()).element("Size", part.size);
        if (part.checksum.kind != ChecksumKind::none) {
            const std::string name = "Checksum" + std::string(checksum_name(part.checksum.kind));
            xml.element(name, checksum_text(part.checksum));
        }
        xml.close();
    }
    xml.close();
    return Response::xml(std::move(xml).take());
}

}  // namespace s3api
