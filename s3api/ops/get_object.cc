// GetObject and HeadObject.
#include <fmt/format.h>

#include "s3api/ops/byte_range.h"
#include "s3api/ops/conditions.h"
#include "s3api/ops/object_headers.h"
#include "s3api/ops/object_source.h"
#include "s3api/ops/ops.h"

namespace s3api {

namespace {

// Up to here an object is answered from memory in one piece.
constexpr std::uint64_t kSmallBytes = 64 * objstore::kKiB;
constexpr int kOpenAttempts = 8;

// The bytes of one part, as they were uploaded.
S3Result<ByteRange> part_range(OpContext& context,
                               const objstore::Inode& inode,
                               std::uint64_t wanted) {
    if (inode.part_count == 0) {
        if (wanted == 1) return ByteRange{0, inode.size};
        return S3Status(S3Error::invalid_part_number);
    }
    const auto parts = context.engine.names().object_parts(inode.id);
    if (parts.code() == objstore::Code::not_found) {
        return S3Status(S3Error::slow_down, "The object is being replaced; try again");
    }
    if (!parts.ok()) return parts.error();
    std::uint64_t at = 0;
    for (const objstore::ObjectPart& part : *parts) {
        if (part.number == wanted) return ByteRange{at, part.size};
        at += part.size;
    }
    return S3Status(S3Error::invalid_part_number);
}

// Whether `select` has to read the list of parts, which is in no cache.
bool needs_parts(const Request& request, const objstore::Inode& inode) {
    return inode.part_count != 0 && request.parameter("partNumber").has_value();
}

// What of an object is sent, and the head of the answer that says so.
struct Selection {
    Response response;
    ByteRange range;
};

S3Result<Selection> select(OpContext& context,
                           const Request& request,
                           const objstore::ObjectInfo& object) {
    TRY(check_read_conditions(request, object));
    const objstore::Inode& inode = *object.inode;
    Selection selection{Response(200), {0, inode.size}};
    TRY_ASSIGN(const std::uint64_t part, number_parameter(request, "partNumber", 0, {1, 10000}));
    const auto header = request.header("range");
    bool partial = false;
    if (part != 0) {
        if (header) {
            return S3Status(S3Error::invalid_request,
                            "Cannot specify both Range header and partNumber query parameter");
        }
        TRY_ASSIGN(selection.range, part_range(context, inode, part));
        partial = selection.range.length != 0;
    } else {
        TRY_ASSIGN(const auto range, parse_range(header, inode.size));
        partial = range.has_value();
        if (range) selection.range = *range;
    }
    Response& response = selection.response;
    if (part != 0 && inode.part_count != 0) {
        response.header("x-amz-mp-parts-count", inode.part_count);
    }
    if (partial) {
        response.status(206);
        response.header(
            "Content-Range",
            fmt::format(
                "bytes {}-{}/{}", selection.range.first, selection.range.last(), inode.size));
    }
    add_object_headers(response, request, object, selection.range.length == inode.size);
    return selection;
}

S3Result<Response> head(OpContext& context,
                        const Request& request,
                        const objstore::ObjectInfo& object) {
    TRY_ASSIGN(Selection selection, select(context, request, object));
    selection.response.length_only(selection.range.length);
    return std::move(selection.response);
}

// The opened object and its true attributes; again while the key gets new content meanwhile.
S3Result<std::unique_ptr<objstore::ObjectReader>> open(OpContext& context,
                                                       const Request& request,
                                                       objstore::ObjectInfo& object) {
    TRY_ASSIGN(const auto bucket, find_bucket(context, request));
    for (int attempt = 0; attempt < kOpenAttempts; ++attempt) {
        auto found = context.engine.stat(bucket.inode, request.key);
        if (found.code() == objstore::Code::not_found) return no_such_key(request);
        if (!found.ok()) return std::move(found).error();
        object = *std::move(found);
        auto reader = context.engine.open(object);
        if (reader.code() == objstore::Code::not_found) continue;
        if (!reader.ok()) return std::move(reader).error();
        object.inode = std::make_shared<const objstore::Inode>((*reader)->inode());
        return *std::move(reader);
    }
    return S3Status(S3Error::slow_down, "The object is being replaced too often; try again");
}

}  // namespace

S3Result<Response> get_object(OpContext& context, Request& request) {
    TRY(check_overrides(request));
    objstore::ObjectInfo object;
    TRY_ASSIGN(auto reader, open(context, request, object));
    TRY_ASSIGN(Selection selection, select(context, request, object));
    const std::uint64_t size = selection.range.length;
    auto source =
        std::make_unique<ObjectSource>(std::move(reader), selection.range, context.pieces);
    selection.response.body(std::move(source), size);
    return std::move(selection.response);
}

std::optional<S3Result<Response>> try_get_object(OpContext& context, Request& request) {
    const auto bucket = find_bucket(context, request);
    if (!bucket.ok() || !check_overrides(request).ok()) return std::nullopt;
    auto object = context.engine.try_stat(bucket->inode, request.key);
    if (!object || needs_parts(request, *object->inode)) return std::nullopt;
    auto reader = context.engine.try_open(*object);
    if (reader == nullptr || reader->inode().generation != object->inode->generation) {
        return std::nullopt;
    }
    auto selection = select(context, request, *object);
    if (!selection.ok()) return S3Result<Response>(selection.error());
    const ByteRange range = selection->range;
    if (range.length > kSmallBytes) {
        auto source = std::make_unique<ObjectSource>(std::move(reader), range, context.pieces);
        selection->response.body(std::move(source), range.length);
        return S3Result<Response>(std::move(selection->response));
    }
    const auto size = static_cast<std::size_t>(range.length);
    objstore::Buffer buffer(size);
    if (!reader->try_read(range.first, buffer.span())) return std::nullopt;
    selection->response.body(std::move(buffer), 0, size);
    return S3Result<Response>(std::move(selection->response));
}

S3Result<Response> head_object(OpContext& context, Request& request) {
    TRY(check_overrides(request));
    TRY_ASSIGN(const auto bucket, find_bucket(context, request));
    auto object = context.engine.stat(bucket.inode, request.key);
    if (object.code() == objstore::Code::not_found) return no_such_key(request);
    if (!object.ok()) return std::move(object).error();
    return head(context, request, *object);
}

std::optional<S3Result<Response>> try_head_object(OpContext& context, Request& request) {
    const auto bucket = find_bucket(context, request);
    if (!bucket.ok() || !check_overrides(request).ok()) return std::nullopt;
    const auto object = context.engine.try_stat(bucket->inode, request.key);
    if (!object || needs_parts(request, *object->inode)) return std::nullopt;
    return head(context, request, *object);
}

}  // namespace s3api
