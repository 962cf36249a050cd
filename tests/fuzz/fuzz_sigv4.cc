#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "objstore/base/assert.h"
#include "s3api/auth/authenticator.h"
#include "s3api/base/time.h"
#include "s3api/base/uri.h"

using namespace s3api;

namespace {

class AnyKey final : public CredentialStore {
public:
    std::optional<std::string> secret(std::string_view) const override { return "secret"; }
};

class May24 final : public objstore::Clock {
public:
    objstore::UnixNanos now() const override { return 1369353600 * kNanosPerSecond; }
    std::chrono::nanoseconds steady() const override { return std::chrono::nanoseconds(now()); }
};

std::string_view take_line(std::string_view& text) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return line;
}

std::string sign(const SignedMessage& message, const SignatureClaim& claim) {
    std::string signed_headers;
    for (const std::string& name : claim.signed_headers) {
        signed_headers += (signed_headers.empty() ? "" : ";") + name;
    }
    const std::string_view hash = message.headers->find("x-amz-content-sha256").value_or("");
    const std::string text = string_to_sign(claim, canonical_request(message, claim, hash));
    const Sha256Digest key = derive_signing_key("secret", claim.scope);
    return "AWS4-HMAC-SHA256 Credential=" + claim.scope.access_key + "/" + claim.scope.text() +
           ",SignedHeaders=" + signed_headers +
           ",Signature=" + to_hex(hmac_sha256(key, objstore::as_bytes(text)));
}

}  // namespace

// A request as lines: method, path, query, headers. Whatever it says, signing it properly must be
// all that is needed to get past the signature.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const AnyKey store;
    const May24 clock;
    const Authenticator authenticator({.region = ""}, store, clock);
    std::string_view text(reinterpret_cast<const char*>(data), size);
    const std::string_view method = take_line(text);
    const std::string_view path = take_line(text);
    const auto query = Query::parse(take_line(text));
    if (!query.ok()) return 0;
    Headers headers;
    while (!text.empty()) {
        const std::string_view line = take_line(text);
        const std::size_t colon = std::min(line.find(':'), line.size());
        headers.add({line.substr(0, colon), line.substr(std::min(colon + 1, line.size()))});
    }
    const SignedMessage message{method, path, &*query, &headers};
    (void)authenticator.authenticate(message).ok();

    const auto claim = read_claim(message);
    if (!claim.ok() || claim->presigned) return 0;
    const auto& names = claim->signed_headers;
    if (std::find(names.begin(), names.end(), "authorization") != names.end()) return 0;
    const std::string authorization = sign(message, *claim);
    Headers resigned;
    resigned.add({"Authorization", authorization});
    for (const Field& field : headers.all()) {
        if (!equals_ignoring_case(field.name, "authorization")) resigned.add(field);
    }
    const auto result = authenticator.authenticate({method, path, &*query, &resigned});
    ASSERT(result.ok() || result.error().error() != S3Error::signature_does_not_match);
    return 0;
}
