#include "nfs/rpc/siphash.h"

#include <vector>

#include <doctest/doctest.h>

TEST_CASE("the hash agrees with the vectors of its authors") {
    const nfs::SipKey key{0x0706050403020100, 0x0f0e0d0c0b0a0908};
    std::vector<std::byte> input;
    CHECK(nfs::siphash(key, input) == 0x726fdb47dd0e0e31);
    for (int i = 0; i < 15; ++i) input.push_back(static_cast<std::byte>(i));
    CHECK(nfs::siphash(key, input) == 0xa129ca6149be45e5);
}
