#include "fs/fuse/mount_table.h"

#include <fstream>
#include <sstream>

namespace fs {
namespace {

// The kernel writes blanks and the like in paths as three octal digits.
std::string unescape(std::string_view text) {
    const auto octal = [](char c) { return c >= '0' && c <= '7'; };
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool escaped = text[i] == '\\' && i + 3 < text.size() && octal(text[i + 1]) &&
                             octal(text[i + 2]) && octal(text[i + 3]);
        if (!escaped) {
            out += text[i];
            continue;
        }
        out += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 +
                                 (text[i + 3] - '0'));
        i += 3;
    }
    return out;
}

std::vector<std::string_view> fields_of(std::string_view line) {
    std::vector<std::string_view> fields;
    while (!line.empty()) {
        const std::size_t blank = line.find(' ');
        if (blank != 0) fields.push_back(line.substr(0, blank));
        if (blank == line.npos) break;
        line.remove_prefix(blank + 1);
    }
    return fields;
}

}  // namespace

// id parent major:minor root path options tag... - type source super-options
std::vector<MountedAt> parse_mount_info(std::string_view text) {
    std::vector<MountedAt> mounts;
    while (!text.empty()) {
        const std::size_t newline = text.find('\n');
        const auto fields = fields_of(text.substr(0, newline));
        text.remove_prefix(newline == text.npos ? text.size() : newline + 1);
        std::size_t dash = 6;
        while (dash < fields.size() && fields[dash] != "-") ++dash;
        if (dash + 2 >= fields.size()) continue;
        mounts.push_back({unescape(fields[4]),
                          unescape(fields[dash + 1]),
                          unescape(fields[dash + 2]),
                          std::string(fields[2])});
    }
    return mounts;
}

objstore::Result<std::vector<MountedAt>> read_mount_info() {
    std::ifstream file("/proc/self/mountinfo");
    std::stringstream text;
    text << file.rdbuf();
    if (!file) return objstore::Status::io_error("cannot read /proc/self/mountinfo");
    return parse_mount_info(text.str());
}

}  // namespace fs
