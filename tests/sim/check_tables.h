#pragma once

#include <string>
#include <vector>

#include "tests/sim/map_tables.h"

namespace tests {

// What is wrong with a namespace: a sentence for each row that contradicts another, none when all
// is well. Everything that is counted or said twice is worked out again from names and extents
// alone.
std::vector<std::string> check_tables(const NamespaceRows& rows);

}  // namespace tests
