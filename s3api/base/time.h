#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "objstore/base/clock.h"

namespace s3api {

inline constexpr objstore::UnixNanos kNanosPerSecond = 1'000'000'000;

// Times as S3 writes them, all in UTC. Years 1970 to 9999; others are clamped when written.
std::string format_http_date(objstore::UnixNanos time);  // "Fri, 24 May 2013 00:00:00 GMT"
std::string format_iso8601(objstore::UnixNanos time);    // "2013-05-24T00:00:00.000Z"
std::string format_amz_date(objstore::UnixNanos time);   // "20130524T000000Z"

// Nothing when the text is not exactly of that form or no such time exists.
std::optional<objstore::UnixNanos> parse_amz_date(std::string_view text);
// The three forms of RFC 9110: the one above, RFC 850's and asctime's.
std::optional<objstore::UnixNanos> parse_http_date(std::string_view text);
// "2013-05-24T00:00:00Z", with or without a fraction of a second.
std::optional<objstore::UnixNanos> parse_iso8601(std::string_view text);

}  // namespace s3api
