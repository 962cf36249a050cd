#include "objstore/meta/sqlite_wal.h"

#include <array>

#include <doctest/doctest.h>

namespace objstore {

TEST_CASE("the WAL's checksum is SQLite's") {
    // The header of a WAL that SQLite made; its last 8 bytes are the checksum of those before.
    constexpr std::array<unsigned char, 24> kHeader = {
        0x37, 0x7f, 0x06, 0x82, 0x00, 0x2d, 0xe2, 0x18, 0x00, 0x00, 0x10, 0x00,
        0x00, 0x00, 0x00, 0x00, 0xb3, 0x40, 0x4e, 0x18, 0x4a, 0x69, 0x0b, 0xa2};
    const auto sum = sqlite_wal_checksum({}, std::as_bytes(std::span(kHeader)));
    CHECK(sum == SqliteWalChecksum{0xed3543c6, 0x472884b5});
}

TEST_CASE("pages of frames lie after the headers") {
    CHECK(sqlite_wal_frame_at(0) == 0);
    CHECK(sqlite_wal_frame_at(32) == 0);
    CHECK(sqlite_wal_frame_at(32 + 24) == 1);
    CHECK(sqlite_wal_frame_at(32 + 24 + 4120) == 2);
    CHECK(sqlite_wal_frame_at(32 + 24 + 4119) == 0);
    CHECK(sqlite_wal_frame_at(32 + 24 + std::uint64_t{4120} * 999) == 1000);
}

}  // namespace objstore
