#pragma once

#include <string>
#include <vector>

#include "objstore/base/status.h"

namespace cmd {

// Expands `{1...6}` (MinIO's ellipsis: numbers, both ends in, leading zeros kept) wherever it
// stands, the last one moving fastest. invalid_argument: a brace that is none, more than 1,024.
objstore::Result<std::vector<std::string>> expand_pattern(const std::string& pattern);

}  // namespace cmd
