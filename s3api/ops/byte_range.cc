#include "s3api/ops/byte_range.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "s3api/base/uri.h"

namespace s3api {

namespace {

constexpr std::string_view kUnit = "bytes=";

// Digits alone; a number too large for us is as good as the largest.
bool parse_position(std::string_view text, std::uint64_t& value) {
    if (text.empty()) return false;
    for (const char c : text) {
        if (c < '0' || c > '9') return false;
    }
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc::result_out_of_range) value = UINT64_MAX;
    return true;
}

S3Status beyond(std::uint64_t size_bytes) {
    return S3Status(S3Error::invalid_range)
        .with_detail("ActualObjectSize", fmt::format("{}", size_bytes))
        .with_header("Content-Range", fmt::format("bytes */{}", size_bytes));
}

}  // namespace

S3Result<std::optional<ByteRange>> parse_range(std::optional<std::string_view> header,
                                               std::uint64_t size_bytes) {
    const std::optional<ByteRange> whole;
    if (!header || header->size() < kUnit.size()) return whole;
    if (!equals_ignoring_case(header->substr(0, kUnit.size()), kUnit)) return whole;
    const std::string_view spec = header->substr(kUnit.size());
    const std::size_t dash = spec.find('-');
    if (dash == std::string_view::npos) return whole;
    const std::string_view from = spec.substr(0, dash);
    const std::string_view to = spec.substr(dash + 1);
    std::uint64_t first = 0;
    std::uint64_t last = UINT64_MAX;
    if (from.empty()) {
        std::uint64_t suffix = 0;
        if (!parse_position(to, suffix)) return whole;
        if (suffix == 0 || size_bytes == 0) return beyond(size_bytes);
        const std::uint64_t length = std::min(suffix, size_bytes);
        return std::optional(ByteRange{size_bytes - length, length});
    }
    if (!parse_position(from, first)) return whole;
    if (!to.empty() && !parse_position(to, last)) return whole;
    if (last < first) return whole;
    if (first >= size_bytes) return beyond(size_bytes);
    return std::optional(ByteRange{first, std::min(last, size_bytes - 1) - first + 1});
}

S3Result<ByteRange> parse_copy_range(std::string_view header, std::uint64_t size_bytes) {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    const std::size_t dash = header.find('-');
    const bool ok = header.starts_with(kUnit) && dash != std::string_view::npos &&
                    parse_position(header.substr(kUnit.size(), dash - kUnit.size()), first) &&
                    parse_position(header.substr(dash + 1), last) && first <= last;
    if (!ok) {
        return S3Status(S3Error::invalid_argument,
                        "The x-amz-copy-source-range value must be of the form bytes=first-last "
                        "where first and last are the zero-based offsets of the first and last "
                        "bytes to copy");
    }
    if (last >= size_bytes) {
        return S3Status(
            S3Error::invalid_argument,
            fmt::format("Range specified is not valid for source object of size: {}", size_bytes));
    }
    return ByteRange{first, last - first + 1};
}

}  // namespace s3api
