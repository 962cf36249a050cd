#include "objstore/base/status.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>

namespace objstore {

void assertion_failed(const char* condition, const char* file, int line) {
    std::fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, condition);
    std::abort();
}

std::string_view to_string(Code code) {
    static constexpr std::array<std::string_view, 13> kNames = {"ok",
                                                                "not found",
                                                                "already exists",
                                                                "invalid argument",
                                                                "conflict",
                                                                "permission denied",
                                                                "no space",
                                                                "unavailable",
                                                                "timed out",
                                                                "cancelled",
                                                                "corruption",
                                                                "I/O error",
                                                                "unsupported"};
    return kNames.at(static_cast<std::size_t>(code));
}

Status::Status(Code code, std::string message, Why why)
    : rep_(code == Code::ok ? nullptr : new Rep{code, why, std::move(message)}) {}

Status::Status(const Status& other)
    : rep_(other.rep_ ? std::make_unique<Rep>(*other.rep_) : nullptr) {}

Status& Status::operator=(const Status& other) {
    if (this != &other) rep_ = other.rep_ ? std::make_unique<Rep>(*other.rep_) : nullptr;
    return *this;
}

std::string_view Status::message() const {
    return rep_ ? std::string_view(rep_->message) : std::string_view("ok");
}

Status Status::with_context(std::string_view context) && {
    if (rep_) rep_->message = fmt::format("{}: {}", context, rep_->message);
    return std::move(*this);
}

Status Status::not_found(std::string m, Why why) {
    return {Code::not_found, std::move(m), why};
}
Status Status::already_exists(std::string m, Why why) {
    return {Code::already_exists, std::move(m), why};
}
Status Status::invalid_argument(std::string m, Why why) {
    return {Code::invalid_argument, std::move(m), why};
}
Status Status::conflict(std::string m, Why why) {
    return {Code::conflict, std::move(m), why};
}
Status Status::permission_denied(std::string m, Why why) {
    return {Code::permission_denied, std::move(m), why};
}
Status Status::no_space(std::string m) {
    return {Code::no_space, std::move(m)};
}
Status Status::unavailable(std::string m, Why why) {
    return {Code::unavailable, std::move(m), why};
}
Status Status::timed_out(std::string m) {
    return {Code::timed_out, std::move(m)};
}
Status Status::cancelled(std::string m) {
    return {Code::cancelled, std::move(m)};
}
Status Status::corruption(std::string m) {
    return {Code::corruption, std::move(m)};
}
Status Status::io_error(std::string m, Why why) {
    return {Code::io_error, std::move(m), why};
}
Status Status::unsupported(std::string m, Why why) {
    return {Code::unsupported, std::move(m), why};
}

Status Status::from_errno(int error, std::string_view what) {
    std::string message = fmt::format("{}: {}", what, std::strerror(error));
    switch (error) {
        case ENOENT:
            return not_found(std::move(message));
        case EEXIST:
            return already_exists(std::move(message));
        case ENOSPC:
        case EDQUOT:
            return no_space(std::move(message));
        case EACCES:
        case EPERM:
        case EROFS:
            return permission_denied(std::move(message));
        case EMFILE:
        case ENFILE:
            // Of this process for now, not of the disk.
            return unavailable(std::move(message), Why::busy);
        default:
            return io_error(std::move(message));
    }
}

}  // namespace objstore
