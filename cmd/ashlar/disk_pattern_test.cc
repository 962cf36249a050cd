#include "cmd/ashlar/disk_pattern.h"

#include <doctest/doctest.h>

namespace cmd {
namespace {

using Paths = std::vector<std::string>;

TEST_CASE("a path without braces is itself") {
    CHECK(expand_pattern("/data/d1").value() == Paths{"/data/d1"});
}

TEST_CASE("an ellipsis counts with both ends in") {
    CHECK(expand_pattern("/d{1...3}").value() == Paths{"/d1", "/d2", "/d3"});
}

TEST_CASE("leading zeros are kept and two ellipses multiply") {
    CHECK(expand_pattern("/n{1...2}/d{08...10}/x").value() ==
          Paths{"/n1/d08/x", "/n1/d09/x", "/n1/d10/x", "/n2/d08/x", "/n2/d09/x", "/n2/d10/x"});
}

TEST_CASE("what is no range is refused") {
    for (const char* bad : {"/d{1..3}",
                            "/d{3...1}",
                            "/d{a...b}",
                            "/d{1...3",
                            "/d{}",
                            "/d{1...}",
                            "/d{...3}",
                            "/d{1...4294967296}",
                            "/d{1...99999}",
                            "/d{-1...3}"}) {
        CAPTURE(bad);
        CHECK(expand_pattern(bad).code() == objstore::Code::invalid_argument);
    }
}

}  // namespace
}  // namespace cmd
