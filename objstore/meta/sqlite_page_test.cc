#include "objstore/meta/sqlite_page.h"

#include <array>

#include <doctest/doctest.h>

#include "objstore/meta/sqlite_vfs.h"

namespace objstore {

namespace {

std::array<std::byte, kSqlitePageBytes> stamped(std::uint32_t number) {
    std::array<std::byte, kSqlitePageBytes> page;
    for (std::size_t i = 0; i < page.size(); ++i) page[i] = static_cast<std::byte>(i * 7);
    stamp_sqlite_page(page, number);
    return page;
}

}  // namespace

TEST_CASE("a stamped page is valid in its place and nowhere else") {
    const auto page = stamped(5);
    CHECK(is_valid_sqlite_page(page, 5));
    CHECK(!is_valid_sqlite_page(page, 6));
}

TEST_CASE("any changed byte of a page is noticed") {
    for (std::size_t at = 0; at < kSqlitePageBytes; ++at) {
        CAPTURE(at);
        auto page = stamped(9);
        page.at(at) ^= std::byte{0x10};
        REQUIRE(!is_valid_sqlite_page(page, 9));
    }
}

TEST_CASE("a page of zeros was never written and is valid") {
    std::array<std::byte, kSqlitePageBytes> page{};
    CHECK(is_valid_sqlite_page(page, 3));
    page[100] = std::byte{1};
    CHECK(!is_valid_sqlite_page(page, 3));
}

TEST_CASE("the stamp of a page is fixed to the byte: it is a disk format") {
    const auto page = stamped(0x01020304);
    CHECK(to_hex(Bytes(page).last(kSqliteReserveBytes)) == "81b213c6040302010000000000000000");
}

TEST_CASE("a header tells whether its pages have room for the stamp") {
    std::array<std::byte, 100> header{};
    header[16] = std::byte{0x10};
    CHECK(!has_reserve_for_stamp(header));
    header[20] = std::byte{16};
    CHECK(has_reserve_for_stamp(header));
    header[17] = std::byte{1};
    CHECK(!has_reserve_for_stamp(header));
}

}  // namespace objstore
