#include <fmt/format.h>

#include "s3api/base/time.h"
#include "s3api/ops/body_to_content.h"
#include "s3api/ops/conditions.h"
#include "s3api/ops/copy_source.h"
#include "s3api/ops/object_headers.h"
#include "s3api/ops/ops.h"
#include "s3api/xml/writer.h"

namespace s3api {

namespace {

constexpr int kCopyAttempts = 8;
// What S3 copies at most. Here it holds only where the bytes must be read: a copy by itself shares
// them.
constexpr std::uint64_t kReadBytesMax = std::uint64_t{5} << 30;
constexpr std::string_view kAlgorithm = "x-amz-checksum-algorithm";

// A checksum that is asked for and not stored is made by reading the source.
S3Status add_checksum(OpContext& context,
                      const Request& request,
                      const objstore::ObjectInfo& source,
                      objstore::ChecksumKind kind,
                      std::vector<objstore::StoredChecksum>& checksums) {
    for (const auto& stored : checksums) {
        if (stored.kind == kind && stored.parts == 0) return {};
    }
    TRY_ASSIGN(const auto reader, context.engine.open(source));
    if (reader->size() > kReadBytesMax) {
        return {S3Error::invalid_request,
                fmt::format("The specified copy source is larger than the maximum allowable size "
                            "for a copy source: {}",
                            kReadBytesMax)};
    }
    const auto hasher = make_hasher(kind);
    objstore::Buffer buffer(objstore::kMiB);
    for (std::uint64_t at = 0; at < reader->size();) {
        if (request.is_abandoned()) return {S3Error::request_timeout, "The client has hung up"};
        const auto count =
            static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), reader->size() - at));
        TRY(reader->read(at, buffer.span().first(count)));
        hasher->update(buffer.span().first(count));
        at += count;
    }
    checksums = {{.kind = kind, .value = hasher->finish()}};
    return {};
}

bool is_directive(std::string_view text) {
    return text == "COPY" || text == "REPLACE";
}

S3Result<objstore::PutAttributes> attributes_of(OpContext& context,
                                                const Request& request,
                                                const objstore::ObjectInfo& source,
                                                bool replace) {
    objstore::PutAttributes attributes;
    attributes.etag = source.inode->etag;
    attributes.checksums = source.inode->checksums;
    if (replace) {
        TRY_ASSIGN(attributes.headers, stored_headers(request));
    } else {
        attributes.headers = copied_headers(source);
    }
    TRY_ASSIGN(attributes.conditions, write_conditions(request));
    const PosixMetadata posix = posix_metadata(attributes.headers);
    attributes.mode = posix.mode;
    attributes.mtime = posix.mtime;
    if (const auto name = request.header(kAlgorithm)) {
        const auto kind = parse_checksum_name(*name);
        if (!kind) {
            return S3Status(S3Error::invalid_request,
                            "Checksum algorithm provided is unsupported.");
        }
        TRY(add_checksum(context, request, source, *kind, attributes.checksums));
    }
    return attributes;
}

std::string copy_result(const objstore::OpResult& done, objstore::UnixNanos modified) {
    XmlWriter xml;
    xml.open("CopyObjectResult", XmlWriter::kS3Namespace);
    xml.quoted("ETag", done.inode->etag.to_string());
    xml.element("LastModified", format_iso8601(modified));
    for (const auto& checksum : done.inode->checksums) {
        const std::string name = "Checksum" + std::string(checksum_name(checksum.kind));
        xml.element("ChecksumType", checksum.parts != 0 ? "COMPOSITE" : "FULL_OBJECT");
        xml.element(name, checksum_text(checksum));
    }
    xml.close();
    return std::move(xml).take();
}

}  // namespace

bool copy_may_read_all(const Request& request) {
    return request.headers.has(kAlgorithm);
}

S3Result<Response> copy_object(OpContext& context, Request& request) {
    TRY_ASSIGN(const auto bucket, find_bucket(context, request));
    const std::string_view directive = request.header("x-amz-metadata-directive").value_or("COPY");
    if (!is_directive(directive)) {
        return S3Status(S3Error::invalid_argument, "Unknown metadata directive.");
    }
    const bool replace = directive == "REPLACE";
    for (int attempt = 0; attempt < kCopyAttempts; ++attempt) {
        TRY_ASSIGN(const auto source, find_copy_source(context, request));
        const auto own = context.engine.stat(bucket.inode, request.key);
        // Another name of the same file, a hard link, is another object.
        const bool itself =
            own.ok() && own->inode->id == source.inode->id && source.key == request.key;
        if (!replace && itself) {
            return S3Status(S3Error::invalid_request,
                            "This copy request is illegal because it is trying to copy an object "
                            "to itself without changing the object's metadata, storage class, "
                            "website redirect location or encryption attributes.");
        }
        TRY_ASSIGN(auto attributes, attributes_of(context, request, source, replace));
        const objstore::CopySource range{source.inode, 0, source.inode->size};
        auto done = context.engine.copy(range, bucket.inode, request.key, std::move(attributes));
        // The source got other content meanwhile: its conditions are judged anew.
        const bool moved =
            done.why() == objstore::Why::stale ||
            (done.code() == objstore::Code::conflict && done.why() == objstore::Why::none);
        if (moved) continue;
        if (!done.ok()) return std::move(done).error();
        return Response::xml(copy_result(*done, done->entry.last_modified));
    }
    return S3Status(S3Error::slow_down, "The source is being replaced too often; try again");
}

}  // namespace s3api
