#pragma once

#include <string_view>

namespace s3api {

// What web servers say of a file with this key; empty where the extension says nothing.
std::string_view content_type_of(std::string_view key);

}  // namespace s3api
