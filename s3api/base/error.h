#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
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
    S3Status(objstore::Status status);
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

// A value or the S3Status that says why there is none. Members as in objstore::Result.
template <typename T>
class [[nodiscard]] S3Result final {
public:
    S3Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    S3Result(S3Status error) : state_(std::in_place_index<1>, std::move(error)) {
        ASSERT(!std::get<1>(state_).ok());
    }
    S3Result(S3Error error) : S3Result(S3Status(error)) {}
    S3Result(objstore::Status error) : S3Result(S3Status(std::move(error))) {}

    bool has_value() const { return state_.index() == 0; }
    bool ok() const { return has_value(); }
    explicit operator bool() const { return has_value(); }
    T& value() & {
        ASSERT(has_value());
        return *std::get_if<0>(&state_);
    }
    const T& value() const& {
        ASSERT(has_value());
        return *std::get_if<0>(&state_);
    }
    T&& value() && {
        ASSERT(has_value());
        return std::move(*std::get_if<0>(&state_));
    }
    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T&& operator*() && { return std::move(*this).value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }

    // Ok when there is a value.
    S3Status error() const& { return has_value() ? S3Status() : *std::get_if<1>(&state_); }
    S3Status error() && { return has_value() ? S3Status() : std::move(*std::get_if<1>(&state_)); }

private:
    std::variant<T, S3Status> state_;
};

}  // namespace s3api
