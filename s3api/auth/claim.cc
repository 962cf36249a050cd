#include <algorithm>
#include <charconv>

#include "s3api/auth/signature.h"
#include "s3api/base/time.h"

namespace s3api {

namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr std::string_view kAlgorithm4A = "AWS4-ECDSA-P256-SHA256";
constexpr std::size_t kSignedHeadersMax = 100;
constexpr std::int64_t kExpiresSecondsMax = 604800;  // a week

// The form a claim comes in decides the code of what is wrong with it.
S3Status malformed(bool presigned, std::string what) {
    if (presigned) return S3Status(S3Error::authorization_query_parameters_error, std::move(what));
    return S3Status(S3Error::authorization_header_malformed,
                    "The authorization header is malformed; " + std::move(what));
}

S3Status version_2() {
    return S3Status(S3Error::invalid_request,
                    "The authorization mechanism you have provided is not supported. Please use "
                    "AWS4-HMAC-SHA256.");
}

S3Status version_4a() {
    return S3Status(S3Error::not_implemented,
                    "Signature version 4A is not supported. Please use AWS4-HMAC-SHA256.");
}

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    while (true) {
        const std::size_t at = text.find(separator);
        parts.push_back(text.substr(0, at));
        if (at == std::string_view::npos) return parts;
        text.remove_prefix(at + 1);
    }
}

bool all_digits(std::string_view text) {
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// An access key may itself hold slashes: the scope is the last four of at least five parts.
S3Result<CredentialScope> read_scope(std::string_view credential, bool presigned) {
    const auto parts = split(credential, '/');
    if (parts.size() < 5) {
        return malformed(presigned,
                         "the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/"
                         "SERVICE/aws4_request\".");
    }
    const std::size_t n = parts.size();
    if (parts[n - 1] != "aws4_request") {
        return malformed(presigned,
                         "incorrect terminal \"" + std::string(parts[n - 1]) +
                             "\". This endpoint uses \"aws4_request\".");
    }
    if (parts[n - 2] != "s3") {
        return malformed(presigned,
                         "incorrect service \"" + std::string(parts[n - 2]) +
                             "\". This endpoint belongs to \"s3\".");
    }
    const std::string_view date = parts[n - 4];
    if (date.size() != 8 || !all_digits(date)) {
        return malformed(presigned,
                         "incorrect date format \"" + std::string(date) +
                             "\". This date in the credential must be in the format "
                             "\"yyyyMMdd\".");
    }
    const std::size_t tail =
        parts[n - 1].size() + parts[n - 2].size() + parts[n - 3].size() + parts[n - 4].size() + 4;
    const std::string_view access_key = credential.substr(0, credential.size() - tail);
    if (access_key.empty()) return malformed(presigned, "a non-empty Access Key (AKID) is needed.");
    return CredentialScope{std::string(access_key), std::string(date), std::string(parts[n - 3])};
}

S3Result<std::vector<std::string>> read_signed_headers(std::string_view text, bool presigned) {
    std::vector<std::string> names;
    for (const std::string_view name : split(text, ';')) {
        if (name.empty() || names.size() == kSignedHeadersMax) {
            return malformed(presigned, "the SignedHeaders are mal-formed.");
        }
        names.push_back(lower(name));
    }
    if (std::find(names.begin(), names.end(), "host") == names.end()) {
        return malformed(presigned, "the SignedHeaders must include \"host\".");
    }
    return names;
}

struct RawClaim {
    std::optional<std::string_view> credential;
    std::optional<std::string_view> signed_headers;
    std::optional<std::string_view> signature;
};

S3Status interpret(const RawClaim& raw, SignatureClaim& claim) {
    TRY_ASSIGN(claim.scope, read_scope(*raw.credential, claim.presigned));
    TRY_ASSIGN(claim.signed_headers, read_signed_headers(*raw.signed_headers, claim.presigned));
    claim.signature = std::string(*raw.signature);
    if (claim.amz_date.substr(0, 8) != claim.scope.date) {
        return malformed(claim.presigned,
                         "Invalid credential date \"" + claim.scope.date +
                             "\". This date is not the same as X-Amz-Date: \"" +
                             claim.amz_date.substr(0, 8) + "\".");
    }
    return {};
}

// x-amz-date, or else Date in either form.
S3Status read_header_date(const Headers& headers, SignatureClaim& claim) {
    const auto amz = headers.find("x-amz-date");
    const auto text = amz ? amz : headers.find("date");
    if (text) {
        if (const auto time = parse_amz_date(*text)) {
            claim.time = *time;
            claim.amz_date = *text;
            return {};
        }
        const auto time = amz ? std::nullopt : parse_http_date(*text);
        if (time) {
            claim.time = *time;
            claim.amz_date = format_amz_date(*time);
            return {};
        }
    }
    return S3Status(S3Error::access_denied,
                    "AWS authentication requires a valid Date or x-amz-date header");
}

S3Result<SignatureClaim> read_header(std::string_view text, const Headers& headers) {
    if (text.starts_with("AWS ")) return version_2();
    if (text.starts_with(kAlgorithm4A)) return version_4a();
    if (!text.starts_with(kAlgorithm)) {
        return S3Status(S3Error::invalid_argument, "Unsupported Authorization Type");
    }
    text.remove_prefix(kAlgorithm.size());
    RawClaim raw;
    for (const std::string_view part : split(text, ',')) {
        const std::string_view field = trim(part);
        const std::size_t equals = field.find('=');
        const std::string_view name = field.substr(0, equals);
        if (equals == std::string_view::npos) {
            return malformed(false, "expecting fields of the form name=value.");
        }
        const std::string_view value = field.substr(equals + 1);
        if (name == "Credential") raw.credential = value;
        if (name == "SignedHeaders") raw.signed_headers = value;
        if (name == "Signature") raw.signature = value;
    }
    if (!raw.credential) return malformed(false, "the Credential is missing.");
    if (!raw.signed_headers) return malformed(false, "the SignedHeaders are missing.");
    if (!raw.signature) return malformed(false, "the Signature is missing.");
    SignatureClaim claim;
    TRY(read_header_date(headers, claim));
    TRY(interpret(raw, claim));
    return claim;
}

S3Status read_expiry(std::string_view text, SignatureClaim& claim) {
    const std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
    if (!all_digits(digits)) return malformed(true, "X-Amz-Expires should be a number");
    if (text.starts_with('-')) return malformed(true, "X-Amz-Expires must be non-negative");
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), claim.expires_seconds);
    if (error != std::errc() || claim.expires_seconds > kExpiresSecondsMax) {
        return malformed(true,
                         "X-Amz-Expires must be less than a week (in seconds); that is, the given "
                         "X-Amz-Expires must be less than 604800 seconds");
    }
    if (claim.expires_seconds < 1) return malformed(true, "X-Amz-Expires must be at least 1");
    return {};
}

S3Result<SignatureClaim> read_presigned(const Query& query) {
    const auto algorithm = query.find("X-Amz-Algorithm");
    if (algorithm && *algorithm == kAlgorithm4A) return version_4a();
    if (algorithm && *algorithm != kAlgorithm) {
        return malformed(true, "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\"");
    }
    const RawClaim raw{query.find("X-Amz-Credential"),
                       query.find("X-Amz-SignedHeaders"),
                       query.find("X-Amz-Signature")};
    const auto date = query.find("X-Amz-Date");
    const auto expires = query.find("X-Amz-Expires");
    if (!algorithm || !raw.credential || !raw.signed_headers || !raw.signature || !date ||
        !expires) {
        return malformed(true,
                         "Query-string authentication version 4 requires the X-Amz-Algorithm, "
                         "X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and "
                         "X-Amz-Expires parameters.");
    }
    SignatureClaim claim;
    claim.presigned = true;
    const auto time = parse_amz_date(*date);
    if (!time) {
        return malformed(true,
                         "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"");
    }
    claim.time = *time;
    claim.amz_date = std::string(*date);
    TRY(read_expiry(*expires, claim));
    TRY(interpret(raw, claim));
    return claim;
}

}  // namespace

S3Status two_mechanisms() {
    return S3Status(S3Error::invalid_argument,
                    "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, "
                    "Signature query string parameter or the Authorization header should be "
                    "specified");
}

S3Result<SignatureClaim> read_claim(const SignedMessage& message) {
    const auto authorization = message.headers->find("authorization");
    const Query& query = *message.query;
    const bool presigned = query.has("X-Amz-Signature") || query.has("X-Amz-Algorithm") ||
                           query.has("X-Amz-Credential");
    if (authorization && presigned) return two_mechanisms();
    if (presigned) return read_presigned(query);
    if (authorization) return read_header(*authorization, *message.headers);
    return S3Error::access_denied;
}

}  // namespace s3api
