#include "fs/vfs/names.h"

#include <string>

#include <doctest/doctest.h>

namespace fs {
namespace {

using objstore::Code;
using objstore::Why;

TEST_CASE("what no path can hold is not a name") {
    for (const std::string_view bad : {"", ".", "..", "a/b", "/"}) {
        CAPTURE(bad);
        CHECK(check_name(bad).code() == Code::invalid_argument);
    }
    CHECK(check_name(std::string_view("a\0b", 3)).code() == Code::invalid_argument);
    CHECK(check_name(std::string(256, 'x')).why() == Why::name_too_long);
    CHECK(check_name(std::string(255, 'x')).ok());
    CHECK(check_name("...").ok());
    CHECK(check_name("\xff\xfe").ok());
}

}  // namespace
}  // namespace fs
