#include "s3api/ops/op_table.h"

#include "s3api/ops/ops.h"

namespace s3api {

namespace {

using Blocking = S3Result<Response> (*)(OpContext&, Request&);
using Begin = S3Result<std::unique_ptr<Intake>> (*)(OpContext&, Request&);
using Start = void (*)(OpContext&, Request&, Op::Answered);
using Fast = std::optional<S3Result<Response>> (*)(OpContext&, Request&);

struct Row {
    Operation operation;
    Blocking run;
    std::uint64_t body_bytes_max = Op::kNoBody;
    Fast fast = nullptr;
    bool length_required = false;
    Begin begin = nullptr;
    bool (*takes_long)(const Request&) = nullptr;
    Start start = nullptr;
    bool (*start_blocks)(const Request&) = nullptr;
};

constexpr Row kRows[] = {
    {Operation::list_buckets, list_buckets},
    {Operation::create_bucket, create_bucket, Op::kXmlBytesMax},
    {Operation::head_bucket, head_bucket},
    {Operation::delete_bucket, delete_bucket},
    {Operation::get_bucket_location, get_bucket_location},
    {Operation::get_bucket_versioning, get_bucket_versioning},
    {Operation::list_objects, list_objects},
    {Operation::list_objects_v2, list_objects_v2},
    {Operation::list_object_versions, list_object_versions},
    {.operation = Operation::put_object,
     .run = put_object,
     .body_bytes_max = Op::kPutBytesMax,
     .length_required = true,
     .begin = begin_put_object,
     .start = start_put_object,
     .start_blocks = start_put_blocks},
    {Operation::get_object, get_object, Op::kNoBody, try_get_object},
    {Operation::head_object, head_object, Op::kNoBody, try_head_object},
    {Operation::delete_object, delete_object},
    {Operation::delete_objects, delete_objects, Op::kXmlBytesMax, nullptr, true},
    {Operation::get_object_tagging, get_object_tagging},
    {.operation = Operation::copy_object, .run = copy_object, .takes_long = copy_may_read_all},
    {Operation::create_multipart_upload, create_multipart_upload},
    {Operation::upload_part, upload_part, Op::kPutBytesMax, nullptr, true, begin_upload_part},
    {Operation::upload_part_copy, upload_part_copy},
    {Operation::complete_multipart_upload, complete_multipart_upload, Op::kXmlBytesMax},
    {Operation::abort_multipart_upload, abort_multipart_upload},
    {Operation::list_multipart_uploads, list_multipart_uploads},
    {Operation::list_parts, list_parts},
};
static_assert(std::size(kRows) == kOperations);

}  // namespace

OpTable make_op_table(OpContext& context) {
    OpTable table;
    for (const Row& row : kRows) {
        Op& op = table.at(static_cast<std::size_t>(row.operation));
        op.run = [&context, run = row.run](Request& request) { return run(context, request); };
        if (row.fast != nullptr) {
            op.fast = [&context, fast = row.fast](Request& r) { return fast(context, r); };
        }
        if (row.begin != nullptr) {
            op.begin = [&context, begin = row.begin](Request& r) { return begin(context, r); };
        }
        if (row.start != nullptr) {
            op.start = [&context, start = row.start](Request& r, Op::Answered answered) {
                start(context, r, std::move(answered));
            };
        }
        op.body_bytes_max = row.body_bytes_max;
        op.length_required = row.length_required;
        op.takes_long = row.takes_long;
        op.start_blocks = row.start_blocks;
    }
    return table;
}

}  // namespace s3api
