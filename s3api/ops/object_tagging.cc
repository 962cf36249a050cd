// GetObjectTagging. No object has tags: what would set them is refused, so that the empty answer is
// the true one. Tools ask for it before they copy an object in parts.
#include "s3api/ops/ops.h"
#include "s3api/xml/writer.h"

namespace s3api {

S3Result<Response> get_object_tagging(OpContext& context, Request& request) {
    TRY_ASSIGN(const auto bucket, find_bucket(context, request));
    auto object = context.engine.stat(bucket.inode, request.key);
    if (object.code() == objstore::Code::not_found) return no_such_key(request);
    if (!object.ok()) return std::move(object).error();
    XmlWriter xml;
    xml.open("Tagging", XmlWriter::kS3Namespace).open("TagSet").close().close();
    return Response::xml(std::move(xml).take());
}

}  // namespace s3api
