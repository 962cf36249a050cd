#pragma once

#include <optional>

#include "s3api/ops/context.h"

// The operations, one file each. All but the `try_` and `start_` forms block; see s3api/http/op.h.
namespace s3api {

S3Result<Response> list_buckets(OpContext& context, Request& request);
S3Result<Response> create_bucket(OpContext& context, Request& request);
S3Result<Response> head_bucket(OpContext& context, Request& request);
S3Result<Response> delete_bucket(OpContext& context, Request& request);
S3Result<Response> get_bucket_location(OpContext& context, Request& request);
S3Result<Response> get_bucket_versioning(OpContext& context, Request& request);
S3Result<Response> list_objects(OpContext& context, Request& request);
S3Result<Response> list_objects_v2(OpContext& context, Request& request);
S3Result<Response> list_object_versions(OpContext& context, Request& request);
S3Result<Response> put_object(OpContext& context, Request& request);
S3Result<std::unique_ptr<Intake>> begin_put_object(OpContext& context, Request& request);
void start_put_object(OpContext& context, Request& request, Op::Answered answered);
bool start_put_blocks(const Request& request);
S3Result<Response> get_object(OpContext& context, Request& request);
S3Result<Response> head_object(OpContext& context, Request& request);
S3Result<Response> delete_object(OpContext& context, Request& request);
S3Result<Response> delete_objects(OpContext& context, Request& request);
S3Result<Response> get_object_tagging(OpContext& context, Request& request);
S3Result<Response> copy_object(OpContext& context, Request& request);
bool copy_may_read_all(const Request& request);
S3Result<Response> create_multipart_upload(OpContext& context, Request& request);
S3Result<Response> upload_part(OpContext& context, Request& request);
S3Result<std::unique_ptr<Intake>> begin_upload_part(OpContext& context, Request& request);
S3Result<Response> upload_part_copy(OpContext& context, Request& request);
S3Result<Response> complete_multipart_upload(OpContext& context, Request& request);
S3Result<Response> abort_multipart_upload(OpContext& context, Request& request);
S3Result<Response> list_multipart_uploads(OpContext& context, Request& request);
S3Result<Response> list_parts(OpContext& context, Request& request);

// From memory and page cache alone; nothing: run the blocking form.
std::optional<S3Result<Response>> try_get_object(OpContext& context, Request& request);
std::optional<S3Result<Response>> try_head_object(OpContext& context, Request& request);

}  // namespace s3api
