#include "s3api/base/error.h"

#include <set>
#include <string>

#include <doctest/doctest.h>

using objstore::Code;
using objstore::Status;
using objstore::Why;
using s3api::S3Error;
using s3api::S3Result;
using s3api::S3Status;

namespace {

S3Result<int> caller(Status inner) {
    TRY(inner);
    return 1;
}

S3Result<int> outer(Status inner) {
    TRY_ASSIGN(const int value, caller(std::move(inner)));
    return value + 1;
}

S3Status check(bool good) {
    if (!good) return S3Error::invalid_digest;
    return {};
}

S3Result<int> checked(bool good) {
    TRY(check(good));
    return 1;
}

}  // namespace

TEST_CASE("every error has a code, a message and an error status") {
    for (std::size_t i = 0; i < s3api::kS3Errors; ++i) {
        const auto& row = s3api::info(static_cast<S3Error>(i));
        CAPTURE(row.code);
        CHECK(!row.code.empty());
        CHECK(!row.message.empty());
        CHECK(row.http_status >= 300);
        CHECK(row.http_status < 600);
    }
    CHECK(s3api::info(S3Error::no_such_key).http_status == 404);
    CHECK(s3api::info(S3Error::slow_down).code == "SlowDown");
}

TEST_CASE("an engine status becomes its S3 error through TRY") {
    CHECK(outer({}).value() == 2);
    const auto missing = outer(Status::not_found("get b/k: row 7 of /disk1", Why::no_bucket));
    CHECK(missing.error().error() == S3Error::no_such_bucket);
    CHECK(missing.error().message() == s3api::info(S3Error::no_such_bucket).message);
    CHECK(missing.error().cause() == "get b/k: row 7 of /disk1");
    const auto wrong = outer(Status::invalid_argument("part number 0"));
    CHECK(wrong.error().error() == S3Error::invalid_argument);
    CHECK(wrong.error().message() == "part number 0");
    CHECK(checked(true).value() == 1);
    CHECK(checked(false).error().error() == S3Error::invalid_digest);
}

TEST_CASE("conditions keep their own answers") {
    CHECK(s3api::from_status(Code::conflict, Why::precondition) == S3Error::precondition_failed);
    CHECK(s3api::from_status(Code::conflict, Why::not_modified) == S3Error::not_modified);
    CHECK(s3api::from_status(Code::invalid_argument, Why::invalid_range) == S3Error::invalid_range);
    CHECK(s3api::from_status(Code::io_error, Why::outcome_unknown) == S3Error::internal_error);
}

TEST_CASE("details and headers stay with a copied error, and ok carries none") {
    auto status = S3Status(S3Error::no_such_key).with_detail("Key", "a<b").with_header("X", "1");
    const S3Status copy = status;
    CHECK(copy.details().at(0).value == "a<b");
    CHECK(copy.headers().at(0).name == "X");
    CHECK(S3Status().with_detail("Key", "a").ok());
}
