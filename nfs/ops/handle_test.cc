#include "nfs/ops/handle.h"

#include <vector>

#include <doctest/doctest.h>

using namespace nfs;

TEST_CASE("a handle says what was put into it, to who knows the secret") {
    const HandleCodec codec({1, 2});
    const FileHandle handle{7, 0x123456789abcdef0};
    const auto encoded = codec.encode(handle);
    CHECK(codec.decode(encoded) == handle);
    CHECK_FALSE(HandleCodec({1, 3}).decode(encoded).has_value());
}

TEST_CASE("a handle changed in any bit is not ours") {
    const HandleCodec codec({1, 2});
    const auto encoded = codec.encode({7, 9});
    for (std::size_t bit = 0; bit < 8 * encoded.size(); ++bit) {
        auto changed = encoded;
        changed[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
        CHECK_FALSE(codec.decode(changed).has_value());
    }
    CHECK_FALSE(codec.decode(objstore::Bytes(encoded).first(31)).has_value());
    CHECK_FALSE(codec.decode({}).has_value());
}

TEST_CASE("the bytes of a handle stay the same from release to release") {
    const HandleCodec codec({0x0706050403020100, 0x0f0e0d0c0b0a0908});
    const auto encoded = codec.encode({1, 0x0102030405060708});
    CHECK(objstore::to_hex(encoded) ==
          "01000000000000000100000000000000"
          "0807060504030201c6334cf08d7858c5");
}
