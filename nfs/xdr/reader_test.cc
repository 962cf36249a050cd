#include "nfs/xdr/reader.h"

#include <vector>

#include <doctest/doctest.h>

#include "nfs/xdr/writer.h"

using namespace nfs;

namespace {

std::vector<std::byte> words(std::initializer_list<std::uint32_t> values) {
    Gather out;
    Writer writer(out);
    for (const auto value : values) writer.u32(value);
    return out.flatten();
}

}  // namespace

TEST_CASE("what the writer wrote, the reader reads") {
    Gather out;
    Writer writer(out);
    writer.u32(0xdeadbeef);
    writer.u64(0x0123456789abcdef);
    writer.boolean(true);
    writer.text("abcde");
    writer.opaque(objstore::as_bytes(""));
    writer.fixed(objstore::as_bytes("xyz"));
    writer.zeros(1);
    const auto bytes = out.flatten();
    CHECK(bytes.size() == 4 + 8 + 4 + (4 + 8) + 4 + 4 + 4);

    Reader in(bytes);
    CHECK(in.u32() == 0xdeadbeef);
    CHECK(in.u64() == 0x0123456789abcdef);
    CHECK(in.boolean());
    CHECK(in.text(5) == "abcde");
    CHECK(in.opaque(10).empty());
    CHECK(objstore::as_text(in.fixed(3)) == "xyz");
    CHECK(in.u32() == 0);
    CHECK(in.ok());
    CHECK(in.remaining() == 0);
}

TEST_CASE("numbers are big-endian") {
    const auto bytes = words({0x01020304});
    CHECK(bytes == std::vector<std::byte>{std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}});
}

TEST_CASE("reading past the end is an error that sticks") {
    const auto bytes = words({7});
    Reader in(bytes);
    CHECK(in.u64() == 0);
    CHECK_FALSE(in.ok());
    CHECK(in.u32() == 0);  // although four bytes were there
    CHECK(in.rest().empty());
    CHECK_FALSE(in.ok());
}

TEST_CASE("a length beyond the record is an error, whatever its size") {
    for (const std::uint32_t length : {9U, 0x7fffffffU, 0xfffffff0U, 0xfffffffdU, 0xffffffffU}) {
        CAPTURE(length);
        const auto bytes = words({length, 1, 2});
        Reader in(bytes);
        CHECK(in.opaque(SIZE_MAX).empty());
        CHECK_FALSE(in.ok());
    }
}

TEST_CASE("a length above the protocol's maximum is an error though the bytes are there") {
    const auto bytes = words({8, 1, 2});
    Reader fits(bytes);
    CHECK(fits.opaque(8).size() == 8);
    CHECK(fits.ok());
    Reader in(bytes);
    CHECK(in.opaque(7).empty());
    CHECK_FALSE(in.ok());
}

TEST_CASE("missing padding is an error") {
    auto bytes = words({5, 1, 2});
    bytes.resize(4 + 5);
    Reader in(bytes);
    CHECK(in.opaque(8).empty());
    CHECK_FALSE(in.ok());
}

TEST_CASE("fixed bytes are never read past the end") {
    const auto bytes = words({1});
    Reader in(bytes);
    CHECK(in.fixed(8).empty());
    CHECK_FALSE(in.ok());
}

TEST_CASE("a boolean is 0 or 1 and an enumeration one of its members") {
    const auto bytes = words({2});
    Reader boolean(bytes);
    boolean.boolean();
    CHECK_FALSE(boolean.ok());
    Reader inside(bytes);
    CHECK(inside.enumeration(1, 2) == 2);
    CHECK(inside.ok());
    Reader outside(bytes);
    CHECK(outside.enumeration(0, 1) == 0);
    CHECK_FALSE(outside.ok());
}

TEST_CASE("a count must fit into what is left") {
    const auto bytes = words({3, 1, 2});
    Reader in(bytes);
    CHECK(in.count(16, 4) == 0);
    CHECK_FALSE(in.ok());
    const auto huge = words({0x40000001, 1, 2});  // times four it wraps around
    Reader wraps(huge);
    CHECK(wraps.count(0xffffffff, 4) == 0);
    CHECK_FALSE(wraps.ok());
    const auto good = words({2, 1, 2});
    Reader fits(good);
    CHECK(fits.count(16, 4) == 2);
    CHECK(fits.ok());
}
