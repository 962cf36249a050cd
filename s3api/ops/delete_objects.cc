// DeleteObject and DeleteObjects.
#include "objstore/base/number.h"
#include "s3api/base/time.h"
#include "s3api/ops/checksums.h"
#include "s3api/ops/conditions.h"
#include "s3api/ops/ops.h"
#include "s3api/xml/reader.h"
#include "s3api/xml/writer.h"

namespace s3api {

namespace {

constexpr std::size_t kKeysMax = 1000;
constexpr std::size_t kXmlBytesMax = 2 << 20;

struct Wanted {
    std::string key;
    std::string version;
    objstore::WriteConditions conditions;
};

S3Status check(const Wanted& wanted) {
    if (!wanted.version.empty() && wanted.version != "null") return S3Error::no_such_version;
    if (wanted.key.size() > Request::kKeyBytesMax) return S3Error::key_too_long;
    return {};
}

objstore::Op delete_op(OpContext& context, objstore::InodeId bucket, const Wanted& wanted) {
    return objstore::DeleteObjectOp{.bucket = bucket,
                                    .key = wanted.key,
                                    .conditions = wanted.conditions,
                                    .time = context.clock.now()};
}

// Of each, in order. What is wrong by itself is not tried.
std::vector<S3Status> delete_all(OpContext& context,
                                 objstore::InodeId bucket,
                                 const std::vector<Wanted>& objects) {
    std::vector<S3Status> outcomes;
    std::vector<objstore::Op> ops;
    for (const Wanted& wanted : objects) {
        outcomes.push_back(check(wanted));
        if (outcomes.back().ok()) ops.push_back(delete_op(context, bucket, wanted));
    }
    auto done = context.engine.apply_each(std::move(ops), {.door = objstore::Door::s3});
    auto next = done.begin();
    for (S3Status& outcome : outcomes) {
        if (outcome.ok()) outcome = std::move(*next++).error();
    }
    return outcomes;
}

S3Status parse_conditions(const XmlNode& object, objstore::WriteConditions& conditions) {
    if (const auto etag = object.child_text("ETag")) {
        std::string_view one = *etag;
        if (one.size() >= 2 && one.front() == '"') one = one.substr(1, one.size() - 2);
        conditions.if_match.emplace_back(one);
    }
    if (const auto size = object.child_text("Size")) {
        conditions.if_size = objstore::parse_number<std::uint64_t>(*size);
        if (!conditions.if_size) return S3Error::malformed_xml;
    }
    if (const auto modified = object.child_text("LastModifiedTime")) {
        auto time = parse_http_date(*modified);
        if (!time) time = parse_iso8601(*modified);
        if (!time) return S3Error::malformed_xml;
        conditions.if_last_modified = *time;
    }
    return {};
}

struct DeleteRequest {
    std::vector<Wanted> objects;
    bool quiet = false;
};

S3Result<DeleteRequest> parse_delete(std::string text) {
    TRY_ASSIGN(const XmlDocument document, XmlDocument::parse(std::move(text), kXmlBytesMax));
    const XmlNode root = document.root();
    if (root.name() != "Delete") return S3Error::malformed_xml;
    DeleteRequest request;
    request.quiet = root.child_text("Quiet").value_or("") == "true";
    for (const XmlNode& object : root.children("Object")) {
        const auto key = object.child_text("Key");
        if (!key || key->empty()) return S3Error::malformed_xml;
        if (request.objects.size() == kKeysMax) return S3Error::malformed_xml;
        Wanted wanted{.key = std::string(*key),
                      .version = std::string(object.child_text("VersionId").value_or(""))};
        TRY(parse_conditions(object, wanted.conditions));
        request.objects.push_back(std::move(wanted));
    }
    if (request.objects.empty()) return S3Error::malformed_xml;
    return request;
}

// The body, checked: this request must say what its body is.
S3Result<std::string> checked_body(Request& request) {
    TRY_ASSIGN(auto expected, expected_digests(request));
    TRY_ASSIGN(std::string text, read_text(*request.body, kXmlBytesMax));
    BodyDigests digests(std::move(expected));
    digests.update(objstore::as_bytes(text));
    TRY_ASSIGN(const auto values, digests.finish(request.body->trailers()));
    return text;
}

}  // namespace

S3Result<Response> delete_object(OpContext& context, Request& request) {
    TRY_ASSIGN(const auto bucket, find_bucket(context, request));
    Wanted wanted{.key = request.key};
    TRY_ASSIGN(wanted.conditions, write_conditions(request));
    if (const auto size = request.header("x-amz-if-match-size")) {
        wanted.conditions.if_size = objstore::parse_number<std::uint64_t>(*size);
        if (!wanted.conditions.if_size) return S3Error::invalid_argument;
    }
    if (const auto time = request.header("x-amz-if-match-last-modified-time")) {
        wanted.conditions.if_last_modified = parse_http_date(*time);
        if (!wanted.conditions.if_last_modified) return S3Error::invalid_argument;
    }
    TRY(context.engine.apply(delete_op(context, bucket.inode, wanted), {.door = objstore::Door::s3})
            .error());
    return Response(204);
}

S3Result<Response> delete_objects(OpContext& context, Request& request) {
    TRY_ASSIGN(const auto bucket, find_bucket(context, request));
    TRY_ASSIGN(std::string text, checked_body(request));
    TRY_ASSIGN(const DeleteRequest wanted, parse_delete(std::move(text)));
    XmlWriter xml;
    xml.open("DeleteResult", XmlWriter::kS3Namespace);
    const std::vector<S3Status> outcomes = delete_all(context, bucket.inode, wanted.objects);
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        const Wanted& object = wanted.objects[i];
        const S3Status& done = outcomes[i];
        if (done.ok()) {
            if (!wanted.quiet) xml.open("Deleted").element("Key", object.key).close();
            continue;
        }
        xml.open("Error").element("Key", object.key);
        xml.element("Code", info(done.error()).code).element("Message", done.message()).close();
    }
    xml.close();
    return Response::xml(std::move(xml).take());
}

}  // namespace s3api
