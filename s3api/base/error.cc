#include "s3api/base/error.h"

namespace s3api {

namespace {

using objstore::Code;
using objstore::Why;

S3Error not_found(Why why) {
    if (why == Why::no_bucket) return S3Error::no_such_bucket;
    if (why == Why::no_upload) return S3Error::no_such_upload;
    return S3Error::no_such_key;
}

S3Error invalid_argument(Why why) {
    if (why == Why::invalid_part) return S3Error::invalid_part;
    if (why == Why::invalid_part_order) return S3Error::invalid_part_order;
    if (why == Why::part_too_small) return S3Error::entity_too_small;
    if (why == Why::invalid_range) return S3Error::invalid_range;
    if (why == Why::name_too_long) return S3Error::key_too_long;
    if (why == Why::too_large) return S3Error::entity_too_large;
    return S3Error::invalid_argument;
}

S3Error conflict(Why why) {
    if (why == Why::not_empty) return S3Error::bucket_not_empty;
    if (why == Why::precondition) return S3Error::precondition_failed;
    if (why == Why::not_modified) return S3Error::not_modified;
    return S3Error::operation_aborted;
}

}  // namespace

S3Error from_status(Code code, Why why) {
    switch (code) {
        case Code::ok:
            UNREACHABLE();
        case Code::not_found:
            return not_found(why);
        case Code::already_exists:
            return why == Why::bucket_exists ? S3Error::bucket_already_owned_by_you
                                             : S3Error::operation_aborted;
        case Code::invalid_argument:
            return invalid_argument(why);
        case Code::conflict:
            return conflict(why);
        case Code::permission_denied:
            return S3Error::access_denied;
        case Code::no_space:
            return S3Error::insufficient_storage;
        case Code::unavailable:
            return why == Why::read_only ? S3Error::service_unavailable : S3Error::slow_down;
        case Code::timed_out:
        case Code::cancelled:
            return S3Error::service_unavailable;
        case Code::corruption:
        case Code::io_error:  // Also outcome_unknown: a 500 tells the client to ask again.
            return S3Error::internal_error;
        case Code::unsupported:
            return S3Error::not_implemented;
    }
    UNREACHABLE();
}

S3Status::S3Status(S3Error error) : S3Status(error, std::string(info(error).message)) {}

S3Status::S3Status(S3Error error, std::string message)
    : rep_(std::make_unique<Rep>(Rep{error, std::move(message), {}, {}, {}})) {}

S3Status::S3Status(const objstore::Status& status) {
    if (status.ok()) return;
    const S3Error error = from_status(status.code(), status.why());
    // Only a complaint about the client's own argument is told in the engine's words: others may
    // name what is none of the client's business.
    const bool tell = error == S3Error::invalid_argument;
    rep_ = std::make_unique<Rep>(Rep{error,
                                     std::string(tell ? status.message() : info(error).message),
                                     std::string(status.message()),
                                     {},
                                     {}});
}

S3Status::S3Status(const S3Status& other)
    : rep_(other.rep_ ? std::make_unique<Rep>(*other.rep_) : nullptr) {}

S3Status& S3Status::operator=(const S3Status& other) {
    if (this != &other) rep_ = other.rep_ ? std::make_unique<Rep>(*other.rep_) : nullptr;
    return *this;
}

S3Error S3Status::error() const {
    ASSERT(rep_ != nullptr);
    return rep_->error;
}

std::string_view S3Status::message() const {
    return rep_ ? rep_->message : std::string_view();
}

std::string_view S3Status::cause() const {
    if (!rep_) return {};
    return rep_->cause.empty() ? rep_->message : rep_->cause;
}

const std::vector<S3Status::Detail>& S3Status::details() const {
    ASSERT(rep_ != nullptr);
    return rep_->details;
}

const std::vector<S3Status::Detail>& S3Status::headers() const {
    ASSERT(rep_ != nullptr);
    return rep_->headers;
}

S3Status S3Status::with_detail(std::string name, std::string value) && {
    if (rep_) rep_->details.push_back({std::move(name), std::move(value)});
    return std::move(*this);
}

S3Status S3Status::with_header(std::string name, std::string value) && {
    if (rep_) rep_->headers.push_back({std::move(name), std::move(value)});
    return std::move(*this);
}

}  // namespace s3api
