#include "s3api/ops/copy_source.h"

#include "s3api/base/uri.h"
#include "s3api/ops/conditions.h"

namespace s3api {

namespace {

S3Status malformed() {
    return {S3Error::invalid_argument,
            "Copy Source must mention the source bucket and key: sourcebucket/sourcekey"};
}

}  // namespace

S3Result<objstore::ObjectInfo> find_copy_source(OpContext& context, const Request& request) {
    std::string_view header = request.header("x-amz-copy-source").value_or("");
    std::string_view version;
    if (const std::size_t query = header.find("?versionId="); query != std::string_view::npos) {
        version = header.substr(query + std::string_view("?versionId=").size());
        header = header.substr(0, query);
    }
    if (header.starts_with('/')) header.remove_prefix(1);
    const auto decoded = percent_decode(header, false);
    if (!decoded) return malformed();
    const std::size_t slash = decoded->find('/');
    if (slash == std::string::npos || slash == 0 || slash + 1 == decoded->size()) {
        return malformed();
    }
    if (!version.empty() && version != "null") return S3Error::no_such_version;
    auto bucket = context.engine.bucket(decoded->substr(0, slash));
    if (!bucket.ok()) {
        S3Status error = std::move(bucket).error();
        return std::move(error).with_detail("BucketName", decoded->substr(0, slash));
    }
    const std::string key = decoded->substr(slash + 1);
    auto source = context.engine.stat(bucket->inode, key);
    if (source.code() == objstore::Code::not_found) {
        return S3Status(S3Error::no_such_key).with_detail("Key", key);
    }
    if (!source.ok()) return std::move(source).error();
    TRY(check_copy_conditions(request, *source));
    source->key = key;
    return *std::move(source);
}

}  // namespace s3api
