#include "s3api/ops/conditions.h"

#include <vector>

#include "s3api/base/time.h"
#include "s3api/base/uri.h"
#include "s3api/ops/context.h"

namespace s3api {

namespace {

// The names that one set of conditions goes by.
struct Names {
    std::string_view match, none_match, modified_since, unmodified_since;
};
constexpr Names kReadNames = {
    "if-match", "if-none-match", "if-modified-since", "if-unmodified-since"};
constexpr Names kCopyNames = {"x-amz-copy-source-if-match",
                              "x-amz-copy-source-if-none-match",
                              "x-amz-copy-source-if-modified-since",
                              "x-amz-copy-source-if-unmodified-since"};

// A list of ETags, or "*", without quotes and weakness.
std::vector<std::string> parse_etags(std::string_view list) {
    std::vector<std::string> etags;
    while (true) {
        const std::size_t comma = list.find(',');
        std::string_view one = trim(list.substr(0, comma));
        if (one.starts_with("W/")) one.remove_prefix(2);
        if (one.size() >= 2 && one.front() == '"' && one.back() == '"') {
            one = one.substr(1, one.size() - 2);
        }
        etags.emplace_back(one);
        if (comma == std::string_view::npos) return etags;
        list.remove_prefix(comma + 1);
    }
}

bool any_matches(std::string_view list, const objstore::ETag& etag) {
    const std::string own = etag.to_string();
    for (const std::string& one : parse_etags(list)) {
        if (one == "*" || one == own) return true;
    }
    return false;
}

std::optional<objstore::UnixNanos> date(const Request& request, std::string_view name) {
    const auto text = request.header(name);
    return text ? parse_http_date(*text) : std::nullopt;
}

// HTTP dates have whole seconds.
objstore::UnixNanos seconds(objstore::UnixNanos time) {
    return time / kNanosPerSecond;
}

enum class Verdict { go_on, failed, not_modified };

Verdict judge(const Request& request, const Names& names, const objstore::ObjectInfo& object) {
    const objstore::ETag& etag = object.inode->etag;
    const objstore::UnixNanos modified = seconds(object.last_modified);
    if (const auto match = request.header(names.match)) {
        if (!any_matches(*match, etag)) return Verdict::failed;
    } else if (const auto since = date(request, names.unmodified_since)) {
        if (modified > seconds(*since)) return Verdict::failed;
    }
    if (const auto none = request.header(names.none_match)) {
        if (any_matches(*none, etag)) return Verdict::not_modified;
    } else if (const auto since = date(request, names.modified_since)) {
        if (modified <= seconds(*since)) return Verdict::not_modified;
    }
    return Verdict::go_on;
}

}  // namespace

S3Status check_read_conditions(const Request& request, const objstore::ObjectInfo& object) {
    switch (judge(request, kReadNames, object)) {
        case Verdict::go_on:
            return {};
        case Verdict::failed:
            return S3Error::precondition_failed;
        case Verdict::not_modified:
            return S3Status(S3Error::not_modified)
                .with_header("ETag", quoted(object.inode->etag))
                .with_header("Last-Modified", format_http_date(object.last_modified));
    }
    UNREACHABLE();
}

S3Status check_copy_conditions(const Request& request, const objstore::ObjectInfo& source) {
    if (judge(request, kCopyNames, source) == Verdict::go_on) return {};
    return S3Error::precondition_failed;
}

S3Result<objstore::WriteConditions> write_conditions(const Request& request) {
    objstore::WriteConditions conditions;
    if (const auto match = request.header("if-match")) conditions.if_match = parse_etags(*match);
    if (const auto none = request.header("if-none-match")) {
        conditions.if_none_match = parse_etags(*none);
    }
    return conditions;
}

}  // namespace s3api
