#include "objstore/disk/path.h"

#include <string>

#include <fmt/format.h>

namespace objstore {

namespace {

constexpr std::size_t kNameBytesMax = 255;

bool is_name(std::string_view name) {
    if (name.empty() || name.size() > kNameBytesMax) return false;
    return name != "." && name != ".." && name.find('\0') == std::string_view::npos;
}

}  // namespace

bool is_disk_path(std::string_view path) {
    for (std::size_t slash = path.find('/'); slash != std::string_view::npos;
         slash = path.find('/')) {
        if (!is_name(path.substr(0, slash))) return false;
        path.remove_prefix(slash + 1);
    }
    return is_name(path);
}

Status check_disk_path(std::string_view path) {
    if (is_disk_path(path)) return {};
    return Status::invalid_argument(fmt::format("not a path within a disk: '{}'", path));
}

std::pair<std::string_view, std::string_view> split_disk_path(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string_view::npos) return {std::string_view(), path};
    return {path.substr(0, slash), path.substr(slash + 1)};
}

}  // namespace objstore
