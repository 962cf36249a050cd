#pragma once

#include <concepts>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "objstore/base/assert.h"

namespace objstore {

// What the caller can do about it. Each front end translates all of them in one switch.
enum class Code : unsigned char {
    ok,
    not_found,
    already_exists,
    invalid_argument,
    conflict,
    permission_denied,
    no_space,
    unavailable,
    timed_out,
    cancelled,
    corruption,
    io_error,
    unsupported,
};

// Why, where a protocol tells its clients more than the code does. `none` is always allowed.
enum class Why : unsigned char {
    none,
    no_bucket,           // not_found: the bucket is absent
    no_upload,           // not_found: the multipart upload is absent
    stale,               // not_found: an inode that existed once (ESTALE)
    bucket_exists,       // already_exists: the bucket is there
    not_empty,           // conflict: directory or bucket has entries
    is_directory,        // conflict: a file was wanted
    not_directory,       // conflict: a directory was wanted
    precondition,        // conflict: a condition the caller set does not hold (412)
    not_modified,        // conflict: nothing newer (304)
    invalid_part,        // invalid_argument: unknown part or wrong ETag
    invalid_part_order,  // invalid_argument
    part_too_small,      // invalid_argument
    invalid_range,       // invalid_argument: 416
    cross_bucket,        // unsupported: EXDEV
    name_too_long,       // invalid_argument: ENAMETOOLONG
    too_large,           // invalid_argument: EFBIG
    not_permitted,       // permission_denied: EPERM, where EACCES is the default
    no_attribute,        // not_found: ENODATA
    too_many_links,      // conflict: EMLINK
    read_only,           // unavailable: too few disks to write
    busy,                // unavailable: a bound is reached; the same call can succeed soon
    outcome_unknown,     // io_error: the commit may or may not have happened
};

std::string_view to_string(Code code);

// The outcome of an operation: one pointer, null is ok. The message is for people, built outward.
class [[nodiscard]] Status final {
public:
    Status() = default;
    Status(Code code, std::string message, Why why = Why::none);
    Status(const Status& other);
    Status& operator=(const Status& other);
    Status(Status&&) noexcept = default;
    Status& operator=(Status&&) noexcept = default;
    ~Status() = default;

    static Status not_found(std::string message, Why why = Why::none);
    static Status already_exists(std::string message, Why why = Why::none);
    static Status invalid_argument(std::string message, Why why = Why::none);
    static Status conflict(std::string message, Why why = Why::none);
    static Status permission_denied(std::string message, Why why = Why::none);
    static Status no_space(std::string message);
    static Status unavailable(std::string message, Why why = Why::none);
    static Status timed_out(std::string message);
    static Status cancelled(std::string message);
    static Status corruption(std::string message);
    static Status io_error(std::string message, Why why = Why::none);
    static Status unsupported(std::string message, Why why = Why::none);
    // From errno: ENOENT, EEXIST, ENOSPC/EDQUOT, EACCES/EPERM/EROFS, EMFILE/ENFILE (unavailable),
    // else io_error.
    static Status from_errno(int error, std::string_view what);

    bool ok() const { return rep_ == nullptr; }
    explicit operator bool() const { return ok(); }
    Code code() const { return rep_ ? rep_->code : Code::ok; }
    Why why() const { return rep_ ? rep_->why : Why::none; }
    std::string_view message() const;
    // The same status with "context: " before its message. Ok stays ok.
    Status with_context(std::string_view context) &&;

private:
    struct Rep {
        Code code;
        Why why;
        std::string message;
    };
    std::unique_ptr<Rep> rep_;
};

// A value or the status that says why there is none. Members as in std::expected. `E` is Status, or
// one that a front end makes of it.
template <typename T, typename E = Status>
class [[nodiscard]] Result final {
public:
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Result(E error) : state_(std::in_place_index<1>, std::move(error)) {
        ASSERT(!std::get<1>(state_).ok());
    }
    // From what an error is made of.
    template <std::convertible_to<E> F>
    requires(!std::convertible_to<F, T>) Result(F error) : Result(E(std::move(error))) {}

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
    // By value, so that `for (x : *f())` does not walk what has gone with its Result.
    T value() && {
        ASSERT(has_value());
        return std::move(*std::get_if<0>(&state_));
    }
    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T operator*() && { return std::move(*this).value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }
    T value_or(T other) const& { return has_value() ? value() : std::move(other); }

    // Ok when there is a value.
    E error() const& { return has_value() ? E() : *std::get_if<1>(&state_); }
    E error() && { return has_value() ? E() : std::move(*std::get_if<1>(&state_)); }
    Code code() const requires std::same_as<E, Status> {
        return has_value() ? Code::ok : std::get_if<1>(&state_)->code();
    }
    Why why() const requires std::same_as<E, Status> {
        return has_value() ? Why::none : std::get_if<1>(&state_)->why();
    }

private:
    std::variant<T, E> state_;
};

}  // namespace objstore

#define ASHLAR_CONCAT_(a, b) a##b
#define ASHLAR_CONCAT(a, b) ASHLAR_CONCAT_(a, b)

// Returns early with the error of a Status.
#define TRY(expr)                                                             \
    do {                                                                      \
        if (auto try_status_ = (expr); !try_status_.ok()) return try_status_; \
    } while (false)

// Declares `decl` from a Result's value, or returns early with its error.
#define TRY_ASSIGN(decl, expr) TRY_ASSIGN_(ASHLAR_CONCAT(try_result_, __LINE__), decl, expr)
#define TRY_ASSIGN_(result, decl, expr)                        \
    auto result = (expr);                                      \
    if (!result.has_value()) return std::move(result).error(); \
    decl = std::move(result).value()
