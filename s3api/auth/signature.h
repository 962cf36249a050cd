#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "objstore/base/clock.h"
#include "s3api/auth/digest.h"
#include "s3api/base/error.h"
#include "s3api/base/uri.h"

namespace s3api {

// What a signature is made over, besides the body.
struct SignedMessage {
    std::string_view method;
    std::string_view raw_path;
    const Query* query = nullptr;       // never null
    const Headers* headers = nullptr;   // never null
    std::string_view host_bucket = {};  // the bucket that the Host header names; empty: the path
};

// Which key signed, for when, where and what: "AKID/20130524/us-east-1/s3/aws4_request".
struct CredentialScope {
    std::string access_key;
    std::string date;  // yyyymmdd
    std::string region;

    std::string text() const;  // "20130524/us-east-1/s3/aws4_request"
};

// A signature as the client presents it, before anything has been checked.
struct SignatureClaim {
    CredentialScope scope;
    std::vector<std::string> signed_headers;  // lower case, in the order given
    std::string signature;                    // 64 hexadecimal digits
    std::string amz_date;                     // "20130524T000000Z"
    objstore::UnixNanos time = 0;             // the same
    std::int64_t expires_seconds = 0;         // presigned alone
    bool presigned = false;
};

// Reads the Authorization header or the X-Amz-... parameters. Says precisely what is malformed.
// access_denied: not signed at all. invalid_request: a header of version 2. not_implemented: 4A.
S3Result<SignatureClaim> read_claim(const SignedMessage& message);

// The answer to a request that is signed in more than one way.
S3Status two_mechanisms();

// The canonical request of S3: the path is encoded once and never normalised.
std::string canonical_request(const SignedMessage& message,
                              const SignatureClaim& claim,
                              std::string_view payload_hash);

std::string string_to_sign(const SignatureClaim& claim, std::string_view canonical);

Sha256Digest derive_signing_key(std::string_view secret, const CredentialScope& scope);

}  // namespace s3api
