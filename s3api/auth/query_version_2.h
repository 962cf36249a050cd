#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "s3api/auth/signature.h"
#include "s3api/base/error.h"

namespace s3api {

// A URL signed by version 2, as boto3 makes them unless told a region or `s3v4`:
// "?AWSAccessKeyId=AKID&Signature=BASE64&Expires=UNIX-SECONDS".
struct QueryClaim2 {
    std::string access_key;
    std::string signature;             // base64 of 20 bytes, as the client presents it
    std::string expires;               // as sent: it is signed so
    std::int64_t expires_seconds = 0;  // the same; since 1970
};

bool is_query_version_2(const Query& query);

// access_denied: a parameter is missing or no number. invalid_argument: signed in other ways too.
S3Result<QueryClaim2> read_query_version_2(const SignedMessage& message);

// What the signature is made over: method, Content-MD5, Content-Type, expiry, the x-amz- headers
// and the path with its sub-resources. The x-amz- parameters, content-md5 and content-type of the
// query stand for headers that are not there, as the SDKs put them into the URL.
std::string string_to_sign_2(const SignedMessage& message, const QueryClaim2& claim);

}  // namespace s3api
