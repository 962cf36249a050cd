#include "nfs/rpc/siphash.h"

#include <bit>

namespace nfs {

namespace {

struct State {
    std::uint64_t v0, v1, v2, v3;

    void round() {
        v0 += v1;
        v2 += v3;
        v1 = std::rotl(v1, 13) ^ v0;
        v3 = std::rotl(v3, 16) ^ v2;
        v0 = std::rotl(v0, 32);
        v2 += v1;
        v0 += v3;
        v1 = std::rotl(v1, 17) ^ v2;
        v3 = std::rotl(v3, 21) ^ v0;
        v2 = std::rotl(v2, 32);
    }
    void mix(std::uint64_t word) {
        v3 ^= word;
        round();
        round();
        v0 ^= word;
    }
};

}  // namespace

std::uint64_t siphash(const SipKey& key, objstore::Bytes bytes) {
    State state{key[0] ^ 0x736f6d6570736575,
                key[1] ^ 0x646f72616e646f6d,
                key[0] ^ 0x6c7967656e657261,
                key[1] ^ 0x7465646279746573};
    std::uint64_t last = std::uint64_t{bytes.size()} << 56;
    while (bytes.size() >= 8) {
        state.mix(objstore::load<std::uint64_t>(bytes));
        bytes = bytes.subspan(8);
    }
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        last |= std::to_integer<std::uint64_t>(bytes[i]) << (8 * i);
    }
    state.mix(last);
    state.v2 ^= 0xff;
    for (int i = 0; i < 4; ++i) state.round();
    return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

}  // namespace nfs
