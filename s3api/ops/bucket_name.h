#pragma once

#include <string_view>

namespace s3api {

// S3's rules: 3 to 63 of a-z 0-9 . -, ends alphanumeric, no "..", no IPv4 address, and none of the
// prefixes and suffixes S3 reserves.
bool valid_bucket_name(std::string_view name);

}  // namespace s3api
