#pragma once

#include "s3api/base/error.h"
#include "s3api/http/body.h"
#include "s3api/http/response.h"

namespace s3api {

// An op in the midst of a long body. It works in turns: between two, while the client has nothing
// to send, it holds no thread. Threads: workers, one at a time.
class Intake {
public:
    virtual ~Intake() = default;

    // Takes what there is of the body; true once that was the last of it. May block for disks.
    virtual S3Result<bool> take(BodyReader& body) = 0;
    // Then, once: the answer.
    virtual S3Result<Response> finish(BodyReader& body) = 0;
};

}  // namespace s3api
