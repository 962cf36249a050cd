#include "fs/vfs/names.h"

#include <fmt/format.h>

#include "fs/vfs/types.h"

namespace fs {

objstore::Status check_name(std::string_view name) {
    using objstore::Why;
    if (name.empty() || name == "." || name == "..") {
        return Status::invalid_argument(fmt::format("not a name: '{}'", name));
    }
    if (name.size() > kNameBytesMax) {
        return Status::invalid_argument("name of over 255 bytes", Why::name_too_long);
    }
    if (name.find('/') != name.npos || name.find('\0') != name.npos) {
        return Status::invalid_argument("a name with '/' or NUL");
    }
    return {};
}

}  // namespace fs
