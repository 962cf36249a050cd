#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "objstore/base/clock.h"
#include "objstore/base/guarded.h"
#include "s3api/auth/digest.h"
#include "s3api/auth/signature.h"
#include "s3api/base/error.h"

namespace s3api {

// Who may sign. Threads: any; called on I/O threads, so it answers from memory.
class CredentialStore {
public:
    virtual ~CredentialStore() = default;
    // The secret key that belongs to an access key; nothing: no such key.
    virtual std::optional<std::string> secret(std::string_view access_key) const = 0;
};

// How a request promises its body.
enum class Payload : std::uint8_t {
    hashed,                      // x-amz-content-sha256 is its SHA-256
    unsigned_whole,              // UNSIGNED-PAYLOAD
    streaming_signed,            // STREAMING-AWS4-HMAC-SHA256-PAYLOAD
    streaming_signed_trailer,    // STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER
    streaming_unsigned_trailer,  // STREAMING-UNSIGNED-PAYLOAD-TRAILER
};

inline bool is_streaming(Payload payload) {
    return payload >= Payload::streaming_signed;
}

// What the signatures of a body's chunks continue from.
struct ChunkSigning {
    Sha256Digest key{};
    std::string amz_date;
    std::string scope;
    std::string previous_signature;
};

// The promise about the body of an authenticated request.
struct PayloadPromise {
    Payload kind = Payload::unsigned_whole;
    Sha256Digest hash{};   // `hashed` alone
    ChunkSigning signing;  // the signed streaming kinds alone
};

struct Authenticated {
    std::string access_key;
    PayloadPromise payload;
    bool presigned = false;  // the signature is in the query
};

// Checks signatures of version 4, and of version 2 in URLs alone. Threads: any. The store and clock
// must outlive it.
class Authenticator final {
public:
    static constexpr std::chrono::minutes kSkewMax{15};
    static constexpr std::size_t kCachedKeysMax = 1024;

    struct Options {
        std::string region;  // empty: any that the client names
    };
    Authenticator(Options options, const CredentialStore& store, const objstore::Clock& clock);

    // The errors of S3 for every way in which a signature can be wrong.
    S3Result<Authenticated> authenticate(const SignedMessage& message) const;

private:
    struct CachedKey {
        std::string secret;
        Sha256Digest key;
    };
    S3Result<Authenticated> authenticate_version_2(const SignedMessage& message) const;
    S3Status check_time(const SignatureClaim& claim) const;
    S3Status check_region(const SignatureClaim& claim) const;
    Sha256Digest signing_key(const CredentialScope& scope, const std::string& secret) const;

    const Options options_;
    const CredentialStore& store_;
    const objstore::Clock& clock_;
    mutable objstore::Guarded<std::map<std::string, CachedKey, std::less<>>> keys_;
};

}  // namespace s3api
