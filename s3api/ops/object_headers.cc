#include "s3api/ops/object_headers.h"

#include <array>
#include <charconv>

#include <fmt/format.h>

#include "objstore/base/number.h"
#include "s3api/base/time.h"
#include "s3api/ops/checksums.h"
#include "s3api/ops/content_type.h"
#include "s3api/ops/context.h"

namespace s3api {

namespace {

constexpr std::size_t kUserMetadataMax = 2048;
constexpr std::string_view kMetaPrefix = "x-amz-meta-";
constexpr std::string_view kContentType = "content-type";
constexpr std::string_view kDefaultType = "binary/octet-stream";

struct Standard {
    std::string_view name;      // as stored
    std::string_view shown;     // as answered
    std::string_view override;  // the query parameter
};
constexpr std::array<Standard, 6> kStandard = {{
    {kContentType, "Content-Type", "response-content-type"},
    {"cache-control", "Cache-Control", "response-cache-control"},
    {"content-disposition", "Content-Disposition", "response-content-disposition"},
    {"content-encoding", "Content-Encoding", "response-content-encoding"},
    {"content-language", "Content-Language", "response-content-language"},
    {"expires", "Expires", "response-expires"},
}};

// Content-Encoding tells of the upload's framing too, which is no property of the object.
std::string without_aws_chunked(std::string_view value) {
    std::string kept;
    while (!value.empty()) {
        const std::size_t comma = value.find(',');
        std::string_view one = value.substr(0, comma);
        value.remove_prefix(comma == std::string_view::npos ? value.size() : comma + 1);
        while (one.starts_with(' ')) one.remove_prefix(1);
        while (one.ends_with(' ')) one.remove_suffix(1);
        if (one.empty() || equals_ignoring_case(one, "aws-chunked")) continue;
        if (!kept.empty()) kept += ',';
        kept += one;
    }
    return kept;
}

const std::string* find(const objstore::HeaderList& headers, std::string_view name) {
    for (const auto& [own, value] : headers) {
        if (own == name) return &value;
    }
    return nullptr;
}

std::optional<std::uint32_t> parse_mode(const std::string* text, int base) {
    const auto mode =
        text == nullptr ? std::nullopt : objstore::parse_number<std::uint64_t>(*text, base);
    if (!mode) return std::nullopt;
    return static_cast<std::uint32_t>(*mode & 0777);
}

// Seconds, maybe with a fraction; or, as the AWS convention has it, nanoseconds with "ns".
std::optional<objstore::UnixNanos> parse_mtime(const std::string* text) {
    if (text == nullptr) return std::nullopt;
    std::int64_t number = 0;
    const char* last = text->data() + text->size();
    auto [end, error] = std::from_chars(text->data(), last, number);
    if (error != std::errc()) return std::nullopt;
    const std::string_view rest(end, static_cast<std::size_t>(last - end));
    if (rest == "ns") return number;
    // Beyond that there might be no room for the fraction.
    constexpr std::int64_t kSecondsMax = INT64_MAX / kNanosPerSecond - 1;
    if (number > kSecondsMax || number < -kSecondsMax) return std::nullopt;
    objstore::UnixNanos time = number * kNanosPerSecond;
    if (rest.empty() || rest == "s") return time;
    if (!rest.starts_with('.')) return std::nullopt;
    objstore::UnixNanos unit = kNanosPerSecond / 10;
    if (text->starts_with('-')) unit = -unit;
    for (const char c : rest.substr(1)) {
        if (c < '0' || c > '9') return std::nullopt;
        time += (c - '0') * unit;
        unit /= 10;
    }
    return time;
}

}  // namespace

S3Result<objstore::HeaderList> stored_headers(const Request& request) {
    objstore::HeaderList headers;
    for (const Standard& standard : kStandard) {
        const auto value = request.header(standard.name);
        if (!value) continue;
        std::string kept(*value);
        if (standard.name == "content-encoding") kept = without_aws_chunked(*value);
        if (!kept.empty()) headers.emplace_back(standard.name, std::move(kept));
    }
    if (find(headers, kContentType) == nullptr) headers.emplace_back(kContentType, kDefaultType);
    std::size_t size = 0;
    for (const Field& field : request.headers.all()) {
        std::string name = lower(field.name);
        if (!name.starts_with(kMetaPrefix) || name.size() == kMetaPrefix.size()) continue;
        size += name.size() - kMetaPrefix.size() + field.value.size();
        if (size > kUserMetadataMax) return S3Error::metadata_too_large;
        headers.emplace_back(std::move(name), std::string(field.value));
    }
    return headers;
}

std::string_view shown_type(std::string_view key, const objstore::Inode& inode) {
    if (const std::string* stored = find(inode.headers, kContentType)) return *stored;
    if (inode.is_directory()) return "application/x-directory";
    const std::string_view guess = content_type_of(key);
    return guess.empty() ? kDefaultType : guess;
}

objstore::HeaderList copied_headers(const objstore::ObjectInfo& source) {
    objstore::HeaderList headers = source.inode->headers;
    if (find(headers, kContentType) == nullptr) {
        headers.emplace_back(kContentType, shown_type(source.key, *source.inode));
    }
    return headers;
}

PosixMetadata posix_metadata(const objstore::HeaderList& headers) {
    PosixMetadata posix;
    posix.mode = parse_mode(find(headers, "x-amz-meta-file-permissions"), 8);
    if (!posix.mode) posix.mode = parse_mode(find(headers, "x-amz-meta-mode"), 10);
    posix.mtime = parse_mtime(find(headers, "x-amz-meta-file-mtime"));
    if (!posix.mtime) posix.mtime = parse_mtime(find(headers, "x-amz-meta-mtime"));
    return posix;
}

void add_object_headers(Response& response,
                        const Request& request,
                        const objstore::ObjectInfo& object,
                        bool whole) {
    const objstore::Inode& inode = *object.inode;
    response.header("ETag", quoted(inode.etag));
    response.header("Last-Modified", format_http_date(object.last_modified));
    response.header("Accept-Ranges", "bytes");
    for (const Standard& standard : kStandard) {
        const auto wanted = request.parameter(standard.override);
        const std::string* stored = find(inode.headers, standard.name);
        if (wanted && !wanted->empty()) {
            response.header(standard.shown, *wanted);
        } else if (stored != nullptr) {
            response.header(standard.shown, *stored);
        } else if (standard.name == kContentType) {
            response.header(standard.shown, shown_type(request.key, inode));
        }
    }
    for (const auto& [name, value] : inode.headers) {
        if (name.starts_with(kMetaPrefix)) response.header(name, value);
    }
    const auto mode = request.header("x-amz-checksum-mode");
    if (whole && mode && equals_ignoring_case(*mode, "ENABLED")) {
        add_checksum_headers(response, inode.checksums);
    }
}

S3Status check_overrides(const Request& request) {
    if (!request.access_key.empty()) return {};
    for (const Standard& standard : kStandard) {
        if (!request.parameter(standard.override)) continue;
        return {S3Error::invalid_request,
                "Request specific response headers cannot be used for anonymous GET requests."};
    }
    return {};
}

}  // namespace s3api
