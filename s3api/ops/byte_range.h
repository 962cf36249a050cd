#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "s3api/base/error.h"

namespace s3api {

// Bytes [first, first + length) of an object.
struct ByteRange {
    std::uint64_t first = 0;
    std::uint64_t length = 0;
    std::uint64_t last() const { return first + length - 1; }
};

// A Range header against an object's size. Nothing: no range to obey (absent, malformed, several),
// the whole is sent, as RFC 9110 and S3 have it. invalid_range (416): beyond the end.
S3Result<std::optional<ByteRange>> parse_range(std::optional<std::string_view> header,
                                               std::uint64_t size_bytes);

// x-amz-copy-source-range: "bytes=first-last", both within the source. invalid_argument.
S3Result<ByteRange> parse_copy_range(std::string_view header, std::uint64_t size_bytes);

}  // namespace s3api
