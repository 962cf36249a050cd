#include "objstore/erasure/geometry.h"

#include <doctest/doctest.h>

namespace objstore {

TEST_CASE("the default geometry uses every disk and is valid") {
    for (int disks = 1; disks <= kShardsMax; ++disks) {
        CAPTURE(disks);
        const Geometry geometry = default_geometry(disks);
        CHECK(geometry.valid());
        CHECK(geometry.shards() == disks);
        CHECK(geometry.parity <= geometry.data);
    }
}

TEST_CASE("the default geometry is what MinIO users expect") {
    CHECK(default_geometry(1) == Geometry{1, 0});
    CHECK(default_geometry(2) == Geometry{1, 1});
    CHECK(default_geometry(3) == Geometry{2, 1});
    CHECK(default_geometry(4) == Geometry{2, 2});
    CHECK(default_geometry(6) == Geometry{4, 2});
    CHECK(default_geometry(8) == Geometry{4, 4});
    CHECK(default_geometry(12) == Geometry{8, 4});
    CHECK(default_geometry(16) == Geometry{12, 4});
    CHECK(default_geometry(17) == Geometry{12, 4});
    CHECK(default_geometry(64) == Geometry{12, 4});
}

}  // namespace objstore
