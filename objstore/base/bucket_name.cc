#include "objstore/base/bucket_name.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace objstore {

namespace {

constexpr std::array<std::string_view, 3> kReservedPrefixes = {"xn--", "sthree-", "amzn-s3-demo-"};
constexpr std::array<std::string_view, 5> kReservedSuffixes = {
    "-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"};

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_letter_or_digit(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z');
}

bool is_ipv4_address(std::string_view name) {
    return std::count(name.begin(), name.end(), '.') == 3 &&
           std::all_of(name.begin(), name.end(), [](char c) { return is_digit(c) || c == '.'; });
}

}  // namespace

bool valid_bucket_name(std::string_view name) {
    if (name.size() < 3 || name.size() > 63) return false;
    if (!is_letter_or_digit(name.front()) || !is_letter_or_digit(name.back())) return false;
    const bool known = std::all_of(name.begin(), name.end(), [](char c) {
        return is_letter_or_digit(c) || c == '.' || c == '-';
    });
    if (!known || name.find("..") != std::string_view::npos || is_ipv4_address(name)) return false;
    return std::none_of(kReservedPrefixes.begin(),
                        kReservedPrefixes.end(),
                        [&](std::string_view p) { return name.starts_with(p); }) &&
           std::none_of(kReservedSuffixes.begin(),
                        kReservedSuffixes.end(),
                        [&](std::string_view s) { return name.ends_with(s); });
}

}  // namespace objstore
