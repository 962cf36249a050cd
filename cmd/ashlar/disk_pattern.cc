#include "cmd/ashlar/disk_pattern.h"

#include <fmt/format.h>

#include "objstore/base/number.h"

namespace cmd {

namespace {

using objstore::parse_number;
using objstore::Result;
using objstore::Status;

constexpr std::size_t kPathsMax = 1024;

struct Range {
    unsigned first = 0;
    unsigned last = 0;
    std::size_t width = 0;  // digits, when the first has leading zeros
};

Result<Range> parse_range(std::string_view text) {
    const std::size_t dots = text.find("...");
    const bool has_dots = dots != std::string_view::npos;
    const auto first = parse_number<unsigned>(text.substr(0, dots));
    const auto last = parse_number<unsigned>(has_dots ? text.substr(dots + 3) : "");
    if (!first || !last || *first > *last) {
        return Status::invalid_argument(
            fmt::format("'{{{}}}' is no range: write {{1...6}}, first number first", text));
    }
    return Range{*first, *last, text.front() == '0' ? dots : 0};
}

}  // namespace

Result<std::vector<std::string>> expand_pattern(const std::string& pattern) {
    const std::size_t open = pattern.find('{');
    if (open == std::string::npos) return std::vector<std::string>{pattern};
    const std::size_t close = pattern.find('}', open);
    if (close == std::string::npos) {
        return Status::invalid_argument(fmt::format("'{}': '{{' without '}}'", pattern));
    }
    TRY_ASSIGN(const Range range, parse_range(pattern.substr(open + 1, close - open - 1)));
    TRY_ASSIGN(const auto tails, expand_pattern(pattern.substr(close + 1)));
    if ((range.last - range.first + std::size_t{1}) * tails.size() > kPathsMax) {
        return Status::invalid_argument(
            fmt::format("'{}' names more than {} disks", pattern, kPathsMax));
    }
    std::vector<std::string> paths;
    for (unsigned n = range.first; n <= range.last; ++n) {
        for (const std::string& tail : tails) {
            paths.push_back(
                fmt::format("{}{:0{}}{}", pattern.substr(0, open), n, range.width, tail));
        }
    }
    return paths;
}

}  // namespace cmd
