#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "objstore/base/status.h"
#include "s3api/base/code.h"

namespace s3api {

// The outcome of what is done for an S3 client: ok (one null pointer) or an S3 error with its
// message. `TRY` and `TRY_ASSIGN` work with it; an objstore::Status turns into one by itself, by
// the one translation in from_status.
class [[nodiscard]] S3Status final {
public:
    struct Detail {
        std::string name;  // an XML element of the error answer: "BucketName"
        std::string value;
    };

    S3Status() = default;
    S3Status(S3Error error);
    S3Status(S3Error error, std::string message);  // `message` is shown to the client
    S3Status(const objstore::Status& status);
    S3Status(const S3Status& other);
    S3Status& operator=(const S3Status& other);
    S3Status(S3Status&&) noexcept = default;
    S3Status& operator=(S3Status&&) noexcept = default;
    ~S3Status() = default;

    bool ok() const { return rep_ == nullptr; }
    explicit operator bool() const { return ok(); }
    S3Error error() const;  // not when ok
    std::string_view message() const;
    std::string_view cause() const;  // for the log alone: may name disks and files
    const std::vector<Detail>& details() const;
    const std::vector<Detail>& headers() const;

    // The same error with one more element in its XML, or one more header in its answer. Ok stays
    // ok.
    S3Status with_detail(std::string name, std::string value) &&;
    S3Status with_header(std::string name, std::string value) &&;

private:
    struct Rep {
        S3Error error;
        std::string message;
        std::string cause;
        std::vector<Detail> details;
        std::vector<Detail> headers;
    };
    std::unique_ptr<Rep> rep_;
};

// What each outcome of the engine is for an S3 client.
S3Error from_status(objstore::Code code, objstore::Why why);

// A value or the S3Status that says why there is none.
template <typename T>
using S3Result = objstore::Result<T, S3Status>;

}  // namespace s3api
