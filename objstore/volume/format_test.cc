#include "objstore/volume/format.h"

#include <cstring>
#include <string>

#include <doctest/doctest.h>

#include "objstore/erasure/checksum.h"

using namespace objstore;

namespace {

VolumeRow golden_row() {
    VolumeRow row;
    row.id = 0x0123456789abcdef;
    row.geometry = {2, 1};
    row.disks = {0xd1, 0xd2, 0xd3};
    row.node = 5;
    return row;
}

Superblock golden_superblock() {
    return make_superblock(golden_row(),
                           {.shard = 2,
                            .deployment = {0x1111111111111111, 0x2222222222222222},
                            .created = 1'700'000'000'123'456'789});
}

struct GoldenStripe {
    std::vector<OwnerEntry> owners{
        {.inode = 9, .generation = 3, .offset = 65536, .payload_offset = 0, .length = 5000},
        {.inode = 10,
         .generation = 1,
         .offset = owner_offset({.part = 7}, 6),
         .payload_offset = 5000,
         .length = 30000}};
    Geometry geometry{2, 1};
    StripeLayout layout = stripe_layout(35000, 2, geometry);
    Buffer column{layout.column_bytes};
    Buffer header{layout.header_bytes};

    GoldenStripe() {
        for (std::size_t i = 0; i < column.size(); ++i) {
            column.data()[i] = static_cast<std::byte>(i * 7 + i / 256);
        }
        const StripeFields fields{.volume = 0x0123456789abcdef,
                                  .geometry = geometry,
                                  .place = 0x5000,
                                  .sequence = 0x0102030405060708,
                                  .nonce = 0xfeedbeef,
                                  .layout = layout,
                                  .owners = owners};
        build_stripe_header(fields, 1, column.span(), header.span());
    }
};

Buffer golden_footer() {
    const std::vector<FooterEntry> index = {{.place = 4096,
                                             .header_bytes = 4096,
                                             .column_bytes = 8192,
                                             .payload_bytes = 16000,
                                             .nonce = 1},
                                            {.place = 20480,
                                             .header_bytes = 4096,
                                             .column_bytes = 4096,
                                             .payload_bytes = 10,
                                             .nonce = 0xffffffff}};
    Buffer footer(footer_bytes(index.size()));
    build_footer({.volume = 0x0123456789abcdef, .shard = 3, .length = 28672}, index, footer.span());
    return footer;
}

// The hex of all but zeros: "offset:bytes" of each run.
std::string golden(Bytes bytes) {
    std::string text;
    for (std::size_t at = 0; at < bytes.size(); at += 16) {
        const Bytes line = bytes.subspan(at, 16);
        if (std::count(line.begin(), line.end(), std::byte{0}) == std::ssize(line)) continue;
        text += std::to_string(at) + ":" + to_hex(line) + "\n";
    }
    return text;
}

}  // namespace

TEST_CASE("a superblock is the same bytes for ever") {
    const Superblock s = golden_superblock();
    CHECK(golden(std::as_bytes(std::span(&s, 1))) ==
          "0:4153484c52564f4c0100000000400000\n"
          "32:0000000000000000efcdab8967452301\n"
          "48:02020101010000000500000000000000\n"
          "64:11111111111111112222222222222222\n"
          "80:d100000000000000d200000000000000\n"
          "96:d3000000000000000000000000000000\n"
          "208:15cd853dfe9c97170000000000000000\n"
          "4080:000000000000000000000000e9fe0e80\n");
}

TEST_CASE("a stripe header is the same bytes for ever") {
    const GoldenStripe stripe;
    CHECK(stripe.header.size() == 4096);
    CHECK(golden(stripe.header.span()) ==
          "0:53545250efbeedfeefcdab8967452301\n"
          "16:00500000000000000060000000100000\n"
          "32:00500000b88800000000000001020102\n"
          "48:080706050403020179948c551acf5a53\n"
          "64:0100000008000000d3e89ae0ad3ca91c\n"
          "80:02000000400000000900000000000000\n"
          "96:03000000000000000000010000000000\n"
          "112:00000000881300000a00000000000000\n"
          "128:01000000000000000600000000070080\n"
          "144:88130000307500000000000000000000\n");
}

TEST_CASE("a footer is the same bytes for ever") {
    CHECK(golden(golden_footer().span()) ==
          "0:00100000000000000010000000200000\n"
          "16:803e0000010000000050000000000000\n"
          "32:00100000001000000a000000ffffffff\n"
          "4032:4153484c464f5452efcdab8967452301\n"
          "4048:00700000000000008a3e000000000000\n"
          "4064:02000000001000000000000003000000\n"
          "4080:0000000000000000a9a55efded2b94c7\n");
}

TEST_CASE("a superblock tells what it was made of") {
    const Superblock s = golden_superblock();
    const auto parsed = parse_superblock(std::as_bytes(std::span(&s, 1)));
    REQUIRE(parsed.ok());
    CHECK(parsed->volume == 0x0123456789abcdef);
    CHECK(parsed->shard == 2);
    CHECK(parsed->data == 2);
    CHECK(parsed->parity == 1);
    CHECK(parsed->disks[1] == 0xd2);
}

TEST_CASE("any flipped bit of a superblock is found") {
    Superblock s = golden_superblock();
    const MutableBytes bytes = std::as_writable_bytes(std::span(&s, 1));
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        bytes[i] ^= std::byte{static_cast<unsigned char>(1U << (i % 8))};
        CHECK_FALSE(parse_superblock(bytes).ok());
        bytes[i] ^= std::byte{static_cast<unsigned char>(1U << (i % 8))};
    }
    CHECK(parse_superblock(bytes).ok());
    CHECK(parse_superblock(bytes.first(4095)).code() == Code::corruption);
}

TEST_CASE("a superblock with unknown incompatible features is left alone") {
    Superblock s = golden_superblock();
    s.incompatible = 4;
    s.crc = crc32c(std::as_bytes(std::span(&s, 1)).first(offsetof(Superblock, crc)));
    CHECK(parse_superblock(std::as_bytes(std::span(&s, 1))).code() == Code::unsupported);
    s.incompatible = 0;
    s.compatible = s.ro_compatible = 4;
    s.crc = crc32c(std::as_bytes(std::span(&s, 1)).first(offsetof(Superblock, crc)));
    CHECK(parse_superblock(std::as_bytes(std::span(&s, 1))).ok());
}

TEST_CASE("a stripe header tells what it was made of") {
    const GoldenStripe stripe;
    const auto parsed = StripeHeader::parse(stripe.header.span());
    REQUIRE(parsed.ok());
    const StripePrologue& p = parsed->prologue();
    CHECK(p.volume == 0x0123456789abcdef);
    CHECK(p.place == 0x5000);
    CHECK(p.shard == 1);
    CHECK(p.nonce == 0xfeedbeef);
    CHECK(p.stripe_bytes == 4096 + 20480);
    CHECK(p.payload_bytes == 35000);
    REQUIRE(parsed->granule_count() == 2);
    CHECK(parsed->granule_crc(0) == crc32c(stripe.column.span().first(kGranuleBytes)));
    CHECK(parsed->granule_crc(1) == crc32c(stripe.column.span().subspan(kGranuleBytes)));
    REQUIRE(parsed->owner_count() == 2);
    CHECK(p.sequence == 0x0102030405060708);
    CHECK(parsed->owner(0).inode == 9);
    CHECK(logical_offset(parsed->owner(0)) == 65536);
    CHECK(parsed->owner(1).offset == 0x8000070000000006);
    CHECK(logical_offset(parsed->owner(1)) == 6);
    CHECK(parsed->owner(1).payload_offset == 5000);
    CHECK(parsed->owner(1).length == 30000);
}

TEST_CASE("any flipped bit of a stripe header is found") {
    GoldenStripe stripe;
    const MutableBytes bytes = stripe.header.span();
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        bytes[i] ^= std::byte{static_cast<unsigned char>(1U << (i % 8))};
        CHECK_FALSE(StripeHeader::parse(bytes).ok());
        bytes[i] ^= std::byte{static_cast<unsigned char>(1U << (i % 8))};
    }
    CHECK(StripeHeader::parse(bytes).ok());
    CHECK_FALSE(StripeHeader::parse(bytes.first(4095)).ok());
    CHECK_FALSE(StripeHeader::parse(bytes.first(63)).ok());
}

TEST_CASE("a stripe header with right checksums and wrong contents is an error") {
    const auto resealed = [](auto&& change) {
        GoldenStripe stripe;
        const MutableBytes bytes = stripe.header.span();
        auto p = load<StripePrologue>(bytes);
        change(p, bytes.subspan(sizeof(p)));
        p.sections_crc = crc32c(bytes.subspan(sizeof(p)));
        p.crc = crc32c(std::as_bytes(std::span(&p, 1)).first(60));
        store(bytes, p);
        return StripeHeader::parse(bytes).code();
    };
    CHECK(resealed([](StripePrologue&, MutableBytes) {}) == Code::ok);
    CHECK(resealed([](StripePrologue& p, MutableBytes) { p.features = 1; }) == Code::unsupported);
    CHECK(resealed([](StripePrologue& p, MutableBytes) { p.header_bytes = 0; }) ==
          Code::corruption);
    CHECK(resealed([](StripePrologue& p, MutableBytes) { p.header_bytes = 8192; }) ==
          Code::corruption);
    CHECK(resealed([](StripePrologue& p, MutableBytes) {
              p.header_bytes = 0xfffff000;
              p.stripe_bytes = p.header_bytes + p.column_bytes;
          }) == Code::corruption);
    CHECK(resealed([](StripePrologue& p, MutableBytes) {
              p.column_bytes = 2 * kColumnBytesMax;
              p.stripe_bytes = p.header_bytes + p.column_bytes;
          }) == Code::corruption);
    CHECK(resealed([](StripePrologue& p, MutableBytes) { p.payload_bytes = 40961; }) ==
          Code::corruption);
    CHECK(resealed([](StripePrologue& p, MutableBytes) { p.shard = 3; }) == Code::corruption);
    CHECK(resealed([](StripePrologue& p, MutableBytes) { p.data = 0; }) == Code::corruption);
    CHECK(resealed([](StripePrologue& p, MutableBytes) { p.place = 5; }) == Code::corruption);
    CHECK(resealed([](StripePrologue& p, MutableBytes) { p.section_count = 0; }) ==
          Code::corruption);
    const auto first_section = [&](SectionHead head) {
        return resealed([head](StripePrologue&, MutableBytes s) { store(s, head); });
    };
    CHECK(first_section({1, 0, 0xfffffff8}) == Code::corruption);
    CHECK(first_section({1, 0, 0xffffffff}) == Code::corruption);
    CHECK(first_section({1, 0, 7}) == Code::corruption);
    CHECK(first_section({1, 0, 4}) == Code::corruption);
    CHECK(first_section({2, 0, 8}) == Code::corruption);
    CHECK(first_section({3, 0, 8}) == Code::corruption);  // then there are no granules
}

TEST_CASE("sections of a later day are passed over") {
    GoldenStripe stripe;
    const MutableBytes bytes = stripe.header.span();
    auto p = load<StripePrologue>(bytes);
    const std::size_t end = 64 + 8 + 8 + 8 + 2 * 32;
    store(bytes.subspan(end), SectionHead{3, 0, 100});
    store(bytes.subspan(end + 8 + 104), SectionHead{77, 0, 0});
    p.section_count = 4;
    p.sections_crc = crc32c(bytes.subspan(sizeof(p)));
    p.crc = crc32c(std::as_bytes(std::span(&p, 1)).first(60));
    store(bytes, p);
    const auto parsed = StripeHeader::parse(bytes);
    REQUIRE(parsed.ok());
    CHECK(parsed->owner_count() == 2);
}

TEST_CASE("the largest header holds the most owners and granules") {
    const Geometry geometry{4, 2};
    const auto layout = stripe_layout(4 * kColumnBytesMax, kOwnersMax, geometry);
    CHECK(layout.header_bytes == kHeaderBytesMax);
    CHECK(layout.column_bytes == kColumnBytesMax);
    const auto small = stripe_layout(1, 1, geometry);
    CHECK(small.header_bytes == 4096);
    CHECK(small.column_bytes == 4096);
    CHECK(stripe_layout(4 * 4096 + 1, 1, geometry).column_bytes == 8192);
}

TEST_CASE("a footer tells what it was made of, and any flipped bit of it is found") {
    Buffer footer = golden_footer();
    const MutableBytes bytes = footer.span();
    const auto parsed = parse_footer(bytes);
    REQUIRE(parsed.ok());
    CHECK(parsed->trailer.length == 28672);
    CHECK(parsed->trailer.payload_bytes == 16010);
    REQUIRE(parsed->index.size() == 2);
    CHECK(parsed->index[1].place == 20480);
    CHECK(parse_footer_trailer(bytes.last(64))->footer_bytes == bytes.size());
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        bytes[i] ^= std::byte{static_cast<unsigned char>(1U << (i % 8))};
        CHECK_FALSE(parse_footer(bytes).ok());
        bytes[i] ^= std::byte{static_cast<unsigned char>(1U << (i % 8))};
    }
    CHECK_FALSE(parse_footer(bytes.first(4095)).ok());
    CHECK_FALSE(parse_footer(bytes.first(10)).ok());
}

TEST_CASE("a footer whose stripes overlap is an error") {
    const std::vector<FooterEntry> index = {{4096, 4096, 8192, 16000, 1}, {8192, 4096, 4096, 1, 2}};
    Buffer footer(footer_bytes(index.size()));
    build_footer({.volume = 1, .shard = 0, .length = 28672}, index, footer.span());
    CHECK(parse_footer(footer.span()).code() == Code::corruption);
}

TEST_CASE("only the one spelling of a shard file's name is known") {
    CHECK(shard_path(0x3f00c0ffee123456, 4) == "vol/3f/3f00c0ffee123456.4");
    CHECK(shard_dir(0x0100000000000000) == "vol/01");
    const auto name = parse_shard_name("3f00c0ffee123456.15");
    REQUIRE(name.ok());
    CHECK(name->id == 0x3f00c0ffee123456);
    CHECK(name->shard == 15);
    for (const char* bad : {"",
                            "3f00c0ffee123456",
                            "3f00c0ffee123456.",
                            "3f00c0ffee123456.16",
                            "3f00c0ffee123456.-1",
                            "3F00c0ffee123456.1",
                            "3f00c0ffee123456.01",
                            "3f00c0ffee123456.1x",
                            "+f00c0ffee123456.1",
                            "3f00c0ffee12345.11"}) {
        CAPTURE(bad);
        CHECK_FALSE(parse_shard_name(bad).ok());
    }
}
