#pragma once

#include <charconv>
#include <optional>
#include <string_view>

namespace objstore {

// All of the text as a number. Nothing: it is none, has something before or behind it, or does not
// fit.
template <typename Number>
std::optional<Number> parse_number(std::string_view text, int base = 10) {
    Number value = 0;
    const char* const last = text.data() + text.size();
    const auto [end, error] = std::from_chars(text.data(), last, value, base);
    if (error != std::errc() || end != last) return std::nullopt;
    return value;
}

}  // namespace objstore
