#include "s3api/auth/authenticator.h"

#include <algorithm>
#include <utility>

#include "s3api/auth/query_version_2.h"
#include "s3api/base/time.h"

namespace s3api {

namespace {

using objstore::as_bytes;

constexpr std::string_view kContentSha256 = "x-amz-content-sha256";
constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";

constexpr std::pair<std::string_view, Payload> kPayloadNames[] = {
    {kUnsignedPayload, Payload::unsigned_whole},
    {"STREAMING-AWS4-HMAC-SHA256-PAYLOAD", Payload::streaming_signed},
    {"STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", Payload::streaming_signed_trailer},
    {"STREAMING-UNSIGNED-PAYLOAD-TRAILER", Payload::streaming_unsigned_trailer},
};

// The text that stands for the body in the canonical request.
S3Result<std::string_view> payload_text(const SignedMessage& message, bool presigned) {
    if (presigned) {
        if (const auto value = message.query->find("X-Amz-Content-Sha256")) return *value;
    }
    if (const auto value = message.headers->find(kContentSha256)) return *value;
    if (presigned) return kUnsignedPayload;
    return S3Status(S3Error::invalid_request,
                    "Missing required header for this request: x-amz-content-sha256");
}

S3Result<PayloadPromise> read_payload(std::string_view text) {
    PayloadPromise promise;
    for (const auto& [name, kind] : kPayloadNames) {
        if (text != name) continue;
        promise.kind = kind;
        return promise;
    }
    if (text.starts_with("STREAMING-AWS4-ECDSA")) {
        return S3Status(S3Error::not_implemented,
                        "Signature version 4A is not supported. Please use AWS4-HMAC-SHA256.");
    }
    const auto hash = parse_sha256_hex(text);
    if (!hash) {
        return S3Status(S3Error::invalid_argument,
                        "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, "
                        "STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, "
                        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.")
            .with_detail("ArgumentName", std::string(kContentSha256))
            .with_detail("ArgumentValue", std::string(text));
    }
    promise.kind = Payload::hashed;
    promise.hash = *hash;
    return promise;
}

// Headers that say what is to be done must be signed, or anyone on the way could add them. The hash
// of the payload is part of what is signed in any case.
S3Status check_signed_headers(const SignedMessage& message, const SignatureClaim& claim) {
    const auto& names = claim.signed_headers;
    for (const Field& field : message.headers->all()) {
        const std::string name = lower(field.name);
        if (!name.starts_with("x-amz-") || name == kContentSha256) continue;
        if (std::find(names.begin(), names.end(), name) != names.end()) continue;
        return S3Status(S3Error::access_denied,
                        "There were headers present in the request which were not signed")
            .with_detail("HeadersNotSigned", name);
    }
    return {};
}

S3Status mismatch(const SignatureClaim& claim,
                  const std::string& to_sign,
                  const std::string& canonical) {
    return S3Status(S3Error::signature_does_not_match)
        .with_detail("AWSAccessKeyId", claim.scope.access_key)
        .with_detail("StringToSign", to_sign)
        .with_detail("SignatureProvided", claim.signature)
        .with_detail("CanonicalRequest", canonical);
}

}  // namespace

Authenticator::Authenticator(Options options,
                             const CredentialStore& store,
                             const objstore::Clock& clock)
    : options_(std::move(options)), store_(store), clock_(clock) {}

S3Status Authenticator::check_time(const SignatureClaim& claim) const {
    const objstore::UnixNanos now = clock_.now();
    const objstore::UnixNanos skew = std::chrono::nanoseconds(kSkewMax).count();
    if (!claim.presigned) {
        if (claim.time >= now - skew && claim.time <= now + skew) return {};
        return S3Status(S3Error::request_time_too_skewed)
            .with_detail("RequestTime", claim.amz_date)
            .with_detail("ServerTime", format_iso8601(now))
            .with_detail("MaxAllowedSkewMilliseconds", "900000");
    }
    if (claim.time > now + skew) {
        return S3Status(S3Error::access_denied, "Request is not valid yet");
    }
    if (now > claim.time + claim.expires_seconds * kNanosPerSecond) {
        return S3Status(S3Error::access_denied, "Request has expired")
            .with_detail("X-Amz-Expires", std::to_string(claim.expires_seconds))
            .with_detail("ServerTime", format_iso8601(now));
    }
    return {};
}

S3Status Authenticator::check_region(const SignatureClaim& claim) const {
    if (options_.region.empty() || claim.scope.region == options_.region) return {};
    const std::string what =
        "the region '" + claim.scope.region + "' is wrong; expecting '" + options_.region + "'";
    if (claim.presigned) {
        return S3Status(S3Error::authorization_query_parameters_error,
                        "Error parsing the X-Amz-Credential parameter; " + what)
            .with_detail("Region", options_.region);
    }
    return S3Status(S3Error::authorization_header_malformed,
                    "The authorization header is malformed; " + what)
        .with_detail("Region", options_.region);
}

Sha256Digest Authenticator::signing_key(const CredentialScope& scope,
                                        const std::string& secret) const {
    std::string name = scope.access_key + "/" + scope.date + "/" + scope.region;
    const auto cached = keys_.with([&](auto& keys) -> std::optional<Sha256Digest> {
        const auto at = keys.find(name);
        if (at == keys.end() || at->second.secret != secret) return std::nullopt;
        return at->second.key;
    });
    if (cached) return *cached;
    const Sha256Digest key = derive_signing_key(secret, scope);
    keys_.with([&](auto& keys) {
        // Days pass and regions are few: to begin anew is all the eviction this needs.
        if (keys.size() >= kCachedKeysMax) keys.clear();
        keys.insert_or_assign(std::move(name), CachedKey{secret, key});
    });
    return key;
}

S3Result<Authenticated> Authenticator::authenticate_version_2(const SignedMessage& message) const {
    TRY_ASSIGN(const QueryClaim2 claim, read_query_version_2(message));
    const auto secret = store_.secret(claim.access_key);
    if (!secret) {
        return S3Status(S3Error::invalid_access_key_id)
            .with_detail("AWSAccessKeyId", claim.access_key);
    }
    const objstore::UnixNanos now = clock_.now();
    if (now / kNanosPerSecond > claim.expires_seconds) {
        return S3Status(S3Error::access_denied, "Request has expired")
            .with_detail("Expires", claim.expires)
            .with_detail("ServerTime", format_iso8601(now));
    }
    const std::string to_sign = string_to_sign_2(message, claim);
    if (!equal_in_constant_time(hmac_sha1_base64(*secret, to_sign), claim.signature)) {
        return S3Status(S3Error::signature_does_not_match)
            .with_detail("AWSAccessKeyId", claim.access_key)
            .with_detail("StringToSign", to_sign)
            .with_detail("SignatureProvided", claim.signature);
    }
    const auto hash = message.headers->find(kContentSha256);
    TRY_ASSIGN(PayloadPromise payload, read_payload(hash.value_or(kUnsignedPayload)));
    if (payload.kind == Payload::streaming_signed ||
        payload.kind == Payload::streaming_signed_trailer) {
        return S3Status(S3Error::invalid_request,
                        "Chunks can only be signed by version 4, this URL is of version 2");
    }
    return Authenticated{claim.access_key, std::move(payload), true};
}

S3Result<Authenticated> Authenticator::authenticate(const SignedMessage& message) const {
    if (is_query_version_2(*message.query)) return authenticate_version_2(message);
    TRY_ASSIGN(const SignatureClaim claim, read_claim(message));
    TRY(check_region(claim));
    const auto secret = store_.secret(claim.scope.access_key);
    if (!secret) {
        return S3Status(S3Error::invalid_access_key_id)
            .with_detail("AWSAccessKeyId", claim.scope.access_key);
    }
    TRY(check_time(claim));
    TRY_ASSIGN(const std::string_view hash_text, payload_text(message, claim.presigned));
    TRY_ASSIGN(PayloadPromise payload, read_payload(hash_text));

    const std::string canonical = canonical_request(message, claim, hash_text);
    const std::string to_sign = string_to_sign(claim, canonical);
    const Sha256Digest key = signing_key(claim.scope, *secret);
    const std::string signature = to_hex(hmac_sha256(key, as_bytes(to_sign)));
    if (!equal_in_constant_time(signature, claim.signature)) {
        return mismatch(claim, to_sign, canonical);
    }
    TRY(check_signed_headers(message, claim));
    if (payload.kind == Payload::streaming_signed ||
        payload.kind == Payload::streaming_signed_trailer) {
        payload.signing = {key, claim.amz_date, claim.scope.text(), signature};
    }
    return Authenticated{claim.scope.access_key, std::move(payload), claim.presigned};
}

}  // namespace s3api
