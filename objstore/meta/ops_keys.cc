#include "objstore/meta/ops_keys.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "objstore/meta/visibility.h"

namespace objstore {

namespace {

constexpr UnixNanos kSecond = 1'000'000'000;

// Whole seconds, downwards: what HTTP dates and Last-Modified can say.
std::int64_t seconds(UnixNanos time) {
    return time / kSecond - (time % kSecond < 0 ? 1 : 0);
}

bool any_matches(const std::vector<std::string>& wanted, const Inode& inode) {
    if (wanted.empty()) return false;
    const std::string etag = inode.etag.to_string();
    return std::any_of(
        wanted.begin(), wanted.end(), [&](const std::string& w) { return w == "*" || w == etag; });
}

Status failed(std::string_view condition) {
    return Status::conflict(fmt::format("the condition {} does not hold", condition),
                            Why::precondition);
}

}  // namespace

ETag etag_of_nothing() {
    static constexpr std::uint8_t kMd5[] = {0xd4,
                                            0x1d,
                                            0x8c,
                                            0xd9,
                                            0x8f,
                                            0x00,
                                            0xb2,
                                            0x04,
                                            0xe9,
                                            0x80,
                                            0x09,
                                            0x98,
                                            0xec,
                                            0xf8,
                                            0x42,
                                            0x7e};
    ETag etag;
    static_assert(sizeof(kMd5) == sizeof(etag.digest));
    std::memcpy(etag.digest.data(), kMd5, sizeof(kMd5));
    return etag;
}

std::vector<std::string_view> split_key(std::string_view key) {
    std::vector<std::string_view> names;
    while (!key.empty()) {
        const std::size_t slash = key.find('/');
        const std::size_t size = slash == std::string_view::npos ? key.size() : slash + 1;
        names.push_back(key.substr(0, size));
        key.remove_prefix(size);
    }
    return names;
}

Status check_key(std::string_view key) {
    if (key.empty()) return Status::invalid_argument("a key may not be empty");
    if (key.size() > kKeyBytesMax) {
        return Status::invalid_argument("a key has 1,024 bytes at most", Why::name_too_long);
    }
    if (key.find('\0') != std::string_view::npos) {
        return Status::invalid_argument("a key may not have a NUL");
    }
    return {};
}

Status check_name(std::string_view name) {
    if (name.empty() || name == "." || name == "..") {
        return Status::invalid_argument(fmt::format("\"{}\" is no name for a file", name));
    }
    if (name.size() > kNameBytesMax) {
        return Status::invalid_argument("a name has 255 bytes at most", Why::name_too_long);
    }
    if (name.find('/') != std::string_view::npos || name.find('\0') != std::string_view::npos) {
        return Status::invalid_argument("a name may not have '/' or NUL");
    }
    return {};
}

Status check_conditions(const WriteConditions& conditions, const Named* object) {
    if (object == nullptr) {
        if (!conditions.if_match.empty() || conditions.if_size || conditions.if_last_modified) {
            return Status::not_found("a condition asks for an object where there is none");
        }
        return {};
    }
    const Inode& inode = *object->inode;
    const UnixNanos modified = last_modified(object->entry, inode);
    const auto& wanted = conditions.if_match;
    if (!wanted.empty() && !any_matches(wanted, inode)) return failed("If-Match");
    if (any_matches(conditions.if_none_match, inode)) return failed("If-None-Match");
    // RFC 9110, section 13.2.2: If-Match takes the place of the date.
    if (wanted.empty() && conditions.if_unmodified_since &&
        seconds(modified) > seconds(*conditions.if_unmodified_since)) {
        return failed("If-Unmodified-Since");
    }
    if (conditions.if_size && *conditions.if_size != inode.size) return failed("size");
    if (conditions.if_last_modified && seconds(*conditions.if_last_modified) != seconds(modified)) {
        return failed("last modified time");
    }
    return {};
}

}  // namespace objstore
