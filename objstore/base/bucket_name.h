#pragma once

#include <string_view>

namespace objstore {

// S3's rules: 3 to 63 of a-z 0-9 . -, first and last a letter or digit, no "..", no IPv4 address,
// none of the prefixes and suffixes that S3 reserves.
bool valid_bucket_name(std::string_view name);

}  // namespace objstore
