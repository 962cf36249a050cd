#include <algorithm>
#include <utility>

#include "s3api/auth/signature.h"

namespace s3api {

namespace {

using objstore::as_bytes;

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

// Trimmed, and with each run of blanks inside as one space.
void append_header_value(std::string& out, std::string_view value) {
    bool pending_space = false;
    bool begun = false;
    for (const char c : value) {
        if (c == ' ' || c == '\t') {
            pending_space = begun;
            continue;
        }
        if (pending_space) out.push_back(' ');
        out.push_back(c);
        pending_space = false;
        begun = true;
    }
}

void append_query(std::string& out, const SignedMessage& message, bool presigned) {
    std::vector<std::pair<std::string, std::string>> encoded;
    encoded.reserve(message.query->all().size());
    for (const QueryParameter& parameter : message.query->all()) {
        if (presigned && parameter.name == "X-Amz-Signature") continue;
        encoded.emplace_back(percent_encode(parameter.name, Slash::encode),
                             percent_encode(parameter.value, Slash::encode));
    }
    std::sort(encoded.begin(), encoded.end());
    bool first = true;
    for (const auto& [name, value] : encoded) {
        if (!std::exchange(first, false)) out.push_back('&');
        out += name;
        out.push_back('=');
        out += value;
    }
}

void append_headers(std::string& out,
                    const SignedMessage& message,
                    const std::vector<std::string>& names) {
    for (const std::string& name : names) {
        out += name;
        out.push_back(':');
        bool first = true;
        for (const Field& field : message.headers->all()) {
            if (!equals_ignoring_case(field.name, name)) continue;
            if (!std::exchange(first, false)) out.push_back(',');
            append_header_value(out, field.value);
        }
        out.push_back('\n');
    }
    out.push_back('\n');
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (i > 0) out.push_back(';');
        out += names[i];
    }
}

// The path is decoded and encoded again, so that a client which escapes more or less than it must
// (as `!` or `~`) is understood; nothing else happens to it.
void append_path(std::string& out, std::string_view raw_path) {
    const auto decoded = percent_decode(raw_path, false);
    percent_encode_to(out, decoded ? std::string_view(*decoded) : raw_path, Slash::keep);
}

}  // namespace

std::string CredentialScope::text() const {
    return date + "/" + region + "/s3/aws4_request";
}

std::string canonical_request(const SignedMessage& message,
                              const SignatureClaim& claim,
                              std::string_view payload_hash) {
    std::string out;
    out.reserve(1024);
    out += message.method;
    out.push_back('\n');
    append_path(out, message.raw_path);
    out.push_back('\n');
    append_query(out, message, claim.presigned);
    out.push_back('\n');
    append_headers(out, message, claim.signed_headers);
    out.push_back('\n');
    out += payload_hash;
    return out;
}

std::string string_to_sign(const SignatureClaim& claim, std::string_view canonical) {
    std::string out(kAlgorithm);
    out.push_back('\n');
    out += claim.amz_date;
    out.push_back('\n');
    out += claim.scope.text();
    out.push_back('\n');
    out += to_hex(Sha256::of(as_bytes(canonical)));
    return out;
}

Sha256Digest derive_signing_key(std::string_view secret, const CredentialScope& scope) {
    const std::string start = "AWS4" + std::string(secret);
    const Sha256Digest date = hmac_sha256(as_bytes(start), as_bytes(scope.date));
    const Sha256Digest region = hmac_sha256(date, as_bytes(scope.region));
    const Sha256Digest service = hmac_sha256(region, as_bytes("s3"));
    return hmac_sha256(service, as_bytes("aws4_request"));
}

}  // namespace s3api
