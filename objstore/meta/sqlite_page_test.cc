#include "objstore/meta/sqlite_page.h"

#include <array>

#include <doctest/doctest.h>

#include "objstore/meta/sqlite_vfs.h"

namespace objstore {

namespace {

std::array<std::byte, kSqlitePageBytes> stamped(std::uint32_t number, std::uint64_t sequence = 3) {
    std::array<std::byte, kSqlitePageBytes> page;
    for (std::size_t i = 0; i < page.size(); ++i) page[i] = static_cast<std::byte>(i * 7);
    stamp_sqlite_page(page, number, sequence);
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

TEST_CASE("a page of zeros is not valid: the disk has lost what was there") {
    const std::array<std::byte, kSqlitePageBytes> page{};
    for (const std::uint32_t number : {1U, 3U, 0x01020304U}) {
        CHECK(!is_valid_sqlite_page(page, number));
    }
}

TEST_CASE("of two whole copies of a page the sequence tells the newer") {
    for (const std::uint64_t sequence : {std::uint64_t{0}, std::uint64_t{77}, ~std::uint64_t{0}}) {
        const auto page = stamped(5, sequence);
        CHECK(is_valid_sqlite_page(page, 5));
        CHECK(sequence_of_sqlite_page(page) == sequence);
    }
}

TEST_CASE("the stamp of a page is fixed to the byte: it is a disk format") {
    const auto page = stamped(0x01020304, 0x1112131415161718);
    CHECK(to_hex(Bytes(page).last(kSqliteReserveBytes)) == "94d0d697040302011817161514131211");
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
