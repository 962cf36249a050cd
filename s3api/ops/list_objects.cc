// ListObjects, ListObjectsV2, ListObjectVersions.
#include "s3api/base/time.h"
#include "s3api/base/uri.h"
#include "s3api/ops/checksums.h"
#include "s3api/ops/ops.h"
#include "s3api/xml/writer.h"

namespace s3api {

namespace {

constexpr std::uint64_t kKeysMax = 1000;
constexpr std::size_t kAnswerBytes = 64 * objstore::kKiB;  // of a page of short keys, to begin with

// What the three listings have in common.
struct Listing {
    objstore::ListRequest request;
    std::uint64_t keys_max = kKeysMax;
    bool url = false;

    std::string show(std::string_view text) const {
        return url ? percent_encode(text, Slash::keep) : std::string(text);
    }
};

S3Result<Listing> parse_listing(const Request& request) {
    Listing listing;
    TRY_ASSIGN(listing.keys_max, number_parameter(request, "max-keys", kKeysMax, {0, INT32_MAX}));
    listing.keys_max = std::min(listing.keys_max, kKeysMax);
    listing.request.limit = listing.keys_max;
    listing.request.prefix = request.parameter("prefix").value_or("");
    listing.request.delimiter = request.parameter("delimiter").value_or("");
    const std::string_view encoding = request.parameter("encoding-type").value_or("");
    if (!encoding.empty() && encoding != "url") {
        return S3Status(S3Error::invalid_argument, "Invalid Encoding Method specified in Request")
            .with_detail("ArgumentName", "encoding-type")
            .with_detail("ArgumentValue", std::string(encoding));
    }
    listing.url = !encoding.empty();
    return listing;
}

S3Result<objstore::ListPage> run(OpContext& context,
                                 const objstore::BucketRow& bucket,
                                 const Listing& listing) {
    if (listing.keys_max == 0) return objstore::ListPage();
    TRY_ASSIGN(auto page, context.engine.list(bucket.inode, listing.request));
    return page;
}

void write_owner(XmlWriter& xml, const OpContext& context) {
    xml.open("Owner").element("ID", context.owner_id);
    xml.element("DisplayName", context.owner_name).close();
}

void write_object(XmlWriter& xml, const Listing& listing, const objstore::ObjectInfo& object) {
    const objstore::Inode& inode = *object.inode;
    xml.element("Key", listing.show(object.key));
    xml.element("LastModified", format_iso8601(object.last_modified));
    xml.quoted("ETag", inode.etag.to_string());
    for (const auto& checksum : inode.checksums) {
        xml.element("ChecksumAlgorithm", checksum_name(checksum.kind));
        xml.element("ChecksumType", checksum.parts != 0 ? "COMPOSITE" : "FULL_OBJECT");
    }
    xml.element("Size", inode.is_directory() && !inode.directory.marker ? 0 : inode.size);
}

void write_prefixes(XmlWriter& xml, const Listing& listing, const objstore::ListPage& page) {
    for (const std::string& prefix : page.common_prefixes) {
        xml.open("CommonPrefixes").element("Prefix", listing.show(prefix)).close();
    }
}

void write_head(XmlWriter& xml, const Listing& listing, const objstore::BucketRow& bucket) {
    xml.element("Name", bucket.name);
    xml.element("Prefix", listing.show(listing.request.prefix));
    xml.element("MaxKeys", listing.keys_max);
    if (!listing.request.delimiter.empty()) {
        xml.element("Delimiter", listing.show(listing.request.delimiter));
    }
    if (listing.url) xml.element("EncodingType", "url");
}

void write_objects(XmlWriter& xml,
                   const OpContext& context,
                   const Listing& listing,
                   const objstore::ListPage& page,
                   bool owner) {
    for (const objstore::ObjectInfo& object : page.objects) {
        xml.open("Contents");
        write_object(xml, listing, object);
        if (owner) write_owner(xml, context);
        xml.element("StorageClass", "STANDARD").close();
    }
}

// Continuation tokens are the last key in hexadecimal behind a version: opaque to clients.
constexpr std::string_view kTokenPrefix = "1.";

std::string make_token(std::string_view key) {
    return std::string(kTokenPrefix) + objstore::to_hex(objstore::as_bytes(key));
}

S3Result<std::string> parse_token(std::string_view token) {
    const auto wrong = [] {
        return S3Status(S3Error::invalid_argument, "The continuation token provided is incorrect");
    };
    if (!token.starts_with(kTokenPrefix) || token.size() % 2 != 0) return wrong();
    std::string escaped;
    for (std::size_t i = kTokenPrefix.size(); i < token.size(); i += 2) {
        escaped += '%';
        escaped += token.substr(i, 2);
    }
    auto key = percent_decode(escaped, false);
    if (!key) return wrong();
    return *std::move(key);
}

}  // namespace

S3Result<Response> list_objects(OpContext& context, Request& request) {
    TRY_ASSIGN(const auto bucket, find_bucket(context, request));
    TRY_ASSIGN(Listing listing, parse_listing(request));
    listing.request.start_after = request.parameter("marker").value_or("");
    TRY_ASSIGN(const auto page, run(context, bucket, listing));
    XmlWriter xml(kAnswerBytes);
    xml.open("ListBucketResult", XmlWriter::kS3Namespace);
    write_head(xml, listing, bucket);
    xml.element("Marker", listing.show(listing.request.start_after));
    xml.element("IsTruncated", page.truncated);
    if (page.truncated) xml.element("NextMarker", listing.show(page.next));
    write_objects(xml, context, listing, page, true);
    write_prefixes(xml, listing, page);
    xml.close();
    return Response::xml(std::move(xml).take());
}

S3Result<Response> list_objects_v2(OpContext& context, Request& request) {
    TRY_ASSIGN(const auto bucket, find_bucket(context, request));
    TRY_ASSIGN(Listing listing, parse_listing(request));
    const auto start = request.parameter("start-after");
    const auto token = request.parameter("continuation-token");
    if (token) {
        TRY_ASSIGN(listing.request.start_after, parse_token(*token));
    } else if (start) {
        listing.request.start_after = *start;
    }
    const bool owner = request.parameter("fetch-owner").value_or("") == "true";
    TRY_ASSIGN(const auto page, run(context, bucket, listing));
    XmlWriter xml(kAnswerBytes);
    xml.open("ListBucketResult", XmlWriter::kS3Namespace);
    write_head(xml, listing, bucket);
    xml.element("KeyCount", page.objects.size() + page.common_prefixes.size());
    xml.element("IsTruncated", page.truncated);
    if (token) xml.element("ContinuationToken", *token);
    if (start) xml.element("StartAfter", listing.show(*start));
    if (page.truncated) xml.element("NextContinuationToken", make_token(page.next));
    write_objects(xml, context, listing, page, owner);
    write_prefixes(xml, listing, page);
    xml.close();
    return Response::xml(std::move(xml).take());
}

// Without versioning each key has one version, "null", and it is the latest.
S3Result<Response> list_object_versions(OpContext& context, Request& request) {
    TRY_ASSIGN(const auto bucket, find_bucket(context, request));
    TRY_ASSIGN(Listing listing, parse_listing(request));
    listing.request.start_after = request.parameter("key-marker").value_or("");
    TRY_ASSIGN(const auto page, run(context, bucket, listing));
    XmlWriter xml(kAnswerBytes);
    xml.open("ListVersionsResult", XmlWriter::kS3Namespace);
    write_head(xml, listing, bucket);
    xml.element("KeyMarker", listing.show(listing.request.start_after));
    xml.element("VersionIdMarker", request.parameter("version-id-marker").value_or(""));
    xml.element("IsTruncated", page.truncated);
    if (page.truncated) xml.element("NextKeyMarker", listing.show(page.next));
    for (const objstore::ObjectInfo& object : page.objects) {
        xml.open("Version");
        write_object(xml, listing, object);
        xml.element("VersionId", "null").element("IsLatest", true);
        write_owner(xml, context);
        xml.element("StorageClass", "STANDARD").close();
    }
    write_prefixes(xml, listing, page);
    xml.close();
    return Response::xml(std::move(xml).take());
}

}  // namespace s3api
