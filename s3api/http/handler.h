#pragma once

#include <cstdint>
#include <optional>

#include "s3api/auth/authenticator.h"
#include "s3api/base/error.h"
#include "s3api/http/op.h"
#include "s3api/http/request.h"
#include "s3api/http/response.h"

namespace s3api {

// What is to be done about a request, decided from its head alone.
struct Plan {
    const Op* op = nullptr;         // null: `ready` is the answer
    std::optional<Response> ready;  // such as that of a health check
    PayloadPromise payload;
};

// What the connections do not decide themselves. Threads: any I/O thread; nothing here may block.
class Handler {
public:
    virtual ~Handler() = default;

    // Gives a new request its id and host id.
    virtual void identify(Request& request) = 0;
    // Checks and routes a request whose head has been read: fills in bucket, key and access key.
    virtual S3Result<Plan> admit(Request& request) = 0;
    // The answer to a failed request; for HEAD as for GET, the connection leaves the body out.
    virtual Response error_response(const Request& request, const S3Status& status) = 0;
    // After each request, also one whose client went away. `status`: why it failed, or ok.
    virtual void finished(const Request& request, int http_status, const S3Status& status) = 0;
};

}  // namespace s3api
