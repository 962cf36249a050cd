#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "objstore/base/bytes.h"
#include "s3api/base/error.h"
#include "s3api/http/intake.h"
#include "s3api/http/request.h"
#include "s3api/http/response.h"

namespace s3api {

// One S3 operation as the server runs it. An op is a plain blocking function
//
//     S3Result<Response> put_object(OpContext& context, Request& request);
//
// in s3api/ops/put_object.h, and s3api/op_table.cc binds its context: one explicit table, indexed
// by Operation (s3api/router.h). Everything before it (routing, signature, length limits) has been
// done; an S3Error it returns becomes the XML answer. `request` lives until the answer is written,
// so a BodySource may refer to it.
struct Op {
    using Run = std::function<S3Result<Response>(Request&)>;
    using Fast = std::function<std::optional<S3Result<Response>>(Request&)>;
    using Begin = std::function<S3Result<std::unique_ptr<Intake>>(Request&)>;
    using Answered = std::function<void(S3Result<Response>)>;
    using Start = std::function<void(Request&, Answered)>;

    static constexpr std::uint64_t kNoBody = 0;
    static constexpr std::uint64_t kXmlBytesMax = 2 * objstore::kMiB;
    static constexpr std::uint64_t kPutBytesMax = std::uint64_t{5} << 30;

    // Runs on a worker thread and may block. The body is whole in memory by then.
    Run run;

    // Takes its place when the body is longer than 64 KiB: that is not gathered in memory but
    // given to the Intake as it comes. May be empty, for ops whose bodies are never long.
    Begin begin;

    // Takes its place when the body is not even longer than kStartBytesMax, and may be empty. Runs
    // on the I/O thread and must not block; the answer may come later, from any thread, once. So no
    // thread is woken for a small change but those that store it.
    static constexpr std::uint64_t kStartBytesMax = 16 * objstore::kKiB;
    Start start;
    // Whether it would block for this request, so that `run` is called. May be empty: never.
    std::function<bool(const Request&)> start_blocks;

    // May be empty. Runs first, on the I/O thread, before any byte of the body has been read: so
    // that memory can answer a HEAD or a small GET, and a PUT to a missing bucket is refused before
    // its body is sent. Must not block or touch a disk. Nothing: go on with `run`.
    Fast fast;

    // The longest (decoded) body: entity_too_large beyond. kNoBody: one that comes is read, up to
    // 64 KiB, and forgotten.
    std::uint64_t body_bytes_max = kNoBody;

    // Whether the request may take many seconds by itself, such as reading gigabytes: it then runs
    // on one of a few threads kept for that, and looks at Request::is_abandoned() now and then.
    // Such an op takes no body. May be empty.
    std::function<bool(const Request&)> takes_long;

    // Without Content-Length (or x-amz-decoded-content-length): missing_content_length.
    bool length_required = false;
};

}  // namespace s3api
