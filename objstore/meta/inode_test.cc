#include "objstore/meta/inode.h"

#include <set>

#include <doctest/doctest.h>

#include "objstore/meta/record.h"
#include "tests/sim/check_status.h"

namespace objstore {

namespace {

using tests::check_error;

Extent stripe_extent(std::uint64_t logical_offset, std::uint64_t length) {
    Extent extent;
    extent.logical_offset = logical_offset;
    extent.length = length;
    extent.kind = ExtentKind::stripe;
    extent.has_crc = true;
    extent.crc = 0x01020304;
    extent.volume = 0x1122334455667788;
    extent.place = 81920;
    extent.header_bytes = 4096;
    extent.column_bytes = 1 << 20;
    extent.payload_offset = 77;
    extent.nonce = 0xa1b2c3d4;
    return extent;
}

Extent inline_extent(std::uint64_t logical_offset, std::uint64_t length) {
    Extent extent;
    extent.logical_offset = logical_offset;
    extent.length = length;
    extent.kind = ExtentKind::inline_data;
    extent.shared = true;
    extent.place = 4711;
    return extent;
}

// Everything a record can carry. Id, parent and name are the row's.
Inode full_inode() {
    Inode inode;
    inode.type = FileType::regular;
    inode.mode = 06755;
    inode.uid = 1000;
    inode.gid = 4294967294;
    inode.nlink = 1;
    inode.size = 5'000'000'000;
    inode.rdev = 0x0801;
    inode.atime = 1'700'000'000'123'456'789;
    inode.mtime = -5;
    inode.ctime = 1'700'000'001'000'000'000;
    inode.btime = std::numeric_limits<std::int64_t>::min();
    inode.content_modified = 1'700'000'002'000'000'000;
    inode.change = 12;
    inode.generation = 0xffff'ffff'ffff'ffff;
    inode.verifier = 0xfeedface;
    inode.bucket = 3;
    inode.etag.digest.fill(std::byte{0xab});
    inode.etag.parts = 7;
    inode.headers = {{"content-type", "text/plain"}, {"x-amz-meta-a", ""}};
    inode.checksums = {{ChecksumKind::crc32c, 2, "\x01\x02\x03\x04"}};
    inode.part_count = 300;
    inode.target = "elsewhere";
    inode.directory.kind = DirectoryKind::implied;
    inode.directory.marker = true;
    inode.directory.marker_modified = -1;
    inode.directory.children = 3;
    inode.directory.hidden = 1;
    inode.directory.subdirectories = 2;
    inode.directory.visible = 9;
    inode.has_xattrs = true;
    inode.extents = {stripe_extent(0, 100), inline_extent(100, 50), stripe_extent(4096, 1 << 20)};
    return inode;
}

Inode small_file() {
    Inode inode;
    inode.mode = 0644;
    inode.uid = 1000;
    inode.gid = 1000;
    inode.nlink = 1;
    inode.size = 4096;
    inode.mtime = inode.ctime = inode.atime = inode.btime = 1'700'000'000'000'000'000;
    inode.change = 1;
    inode.generation = 1;
    inode.bucket = 2;
    inode.extents = {stripe_extent(0, 4096)};
    return inode;
}

}  // namespace

TEST_CASE("an inode's record gives back every field but the row's key") {
    const Inode inode = full_inode();
    const auto decoded = decode_inode(as_bytes(encode_inode(inode)));
    REQUIRE(decoded.ok());
    CHECK(*decoded == inode);

    const auto plain = decode_inode(as_bytes(encode_inode(Inode{})));
    REQUIRE(plain.ok());
    CHECK(*plain == Inode{});

    Inode in_table = small_file();
    in_table.extents.clear();
    in_table.extents_in_table = true;
    const auto table = decode_inode(as_bytes(encode_inode(in_table)));
    REQUIRE(table.ok());
    CHECK(*table == in_table);
}

TEST_CASE("the bytes of an inode's record do not change") {
    const std::string golden =
        "01"
        "8010"
        "01"
        "a403"
        "e807"
        "e807"
        "01"
        "8020"  // format, parts, type … size
        "8080d0e2c6bfce972f"
        "00"
        "00"
        "00"
        "01"
        "01"
        "02"  // times, change, generation, bucket
        "01"
        "00"
        "0a"
        "8020"
        "04030201"
        "808005"
        "4d"  // one extent
        "8877665544332211"
        "8020"
        "808040"
        "d4c3b2a1";
    CHECK(to_hex(as_bytes(encode_inode(small_file()))) == golden);
}

TEST_CASE("a record that is cut short or has more behind it is corruption") {
    const std::string bytes = encode_inode(full_inode());
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        CAPTURE(size);
        check_error(decode_inode(as_bytes(bytes.substr(0, size))).error(), Code::corruption);
    }
    check_error(decode_inode(as_bytes(bytes + '\0')).error(), Code::corruption);
}

TEST_CASE("a record of an unknown format or with unknown parts is corruption") {
    std::string bytes = encode_inode(small_file());
    bytes[0] = 2;
    check_error(decode_inode(as_bytes(bytes)).error(), Code::corruption);
    bytes[0] = 1;
    REQUIRE(static_cast<unsigned char>(bytes[1]) == 0x80);
    bytes[2] = 0x20;
    check_error(decode_inode(as_bytes(bytes)).error(), Code::corruption);
}

TEST_CASE("a record with any byte changed is refused or is a record") {
    const std::string good = encode_inode(full_inode());
    for (std::size_t at = 0; at < good.size(); ++at) {
        for (const int flip : {0x01, 0x40, 0x80, 0xff}) {
            std::string bytes = good;
            bytes[at] = static_cast<char>(bytes[at] ^ flip);
            const auto decoded = decode_inode(as_bytes(bytes));
            if (!decoded.ok()) continue;
            const auto again = decode_inode(as_bytes(encode_inode(*decoded)));
            REQUIRE(again.ok());
            CHECK(*again == *decoded);
        }
    }
}

TEST_CASE("a count that the bytes cannot hold is refused before memory is taken") {
    std::string bytes;
    RecordWriter out(bytes);
    out.varint(std::uint64_t{1} << 60);
    bytes += "some bytes behind it";
    RecordReader in(as_bytes(bytes));
    CHECK(get_extents(in).empty());
    CHECK(in.failed());
}

TEST_CASE("numbers have one spelling") {
    for (const std::string_view longer :
         {std::string_view("\x80\x00", 2),
          std::string_view("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"),
          std::string_view("\x81\x80\x00", 3)}) {
        RecordReader in(as_bytes(longer));
        (void)in.varint();
        CHECK(in.failed());
    }
    for (const std::uint64_t value : {std::uint64_t{0},
                                      std::uint64_t{127},
                                      std::uint64_t{128},
                                      std::uint64_t{1} << 63,
                                      ~std::uint64_t{0}}) {
        std::string bytes;
        RecordWriter(bytes).varint(value);
        RecordReader in(as_bytes(bytes));
        CHECK(in.varint() == value);
        CHECK(in.finish("number").ok());
    }
    for (const std::int64_t value : {std::int64_t{0},
                                     std::int64_t{-1},
                                     std::numeric_limits<std::int64_t>::min(),
                                     std::numeric_limits<std::int64_t>::max()}) {
        std::string bytes;
        RecordWriter(bytes).zigzag(value);
        RecordReader in(as_bytes(bytes));
        CHECK(in.zigzag() == value);
    }
}

TEST_CASE("the other rows' bodies give back what was stored") {
    for (const Extent& extent : {stripe_extent(4096, 17), inline_extent(0, 1)}) {
        const auto decoded = decode_extent(extent.logical_offset, as_bytes(encode_extent(extent)));
        REQUIRE(decoded.ok());
        CHECK(*decoded == extent);
    }
    PartRow part;
    part.upload = 77;
    part.number = 10'000;
    part.size = 5 << 20;
    part.etag.digest.fill(std::byte{1});
    part.checksum = {ChecksumKind::sha256, 0, std::string(32, 'x')};
    part.last_modified = 1'700'000'000'000'000'000;
    part.extents = {stripe_extent(0, 5 << 20)};
    const auto decoded_part = decode_part(77, 10'000, as_bytes(encode_part(part)));
    REQUIRE(decoded_part.ok());
    CHECK(*decoded_part == part);

    UploadRow upload;
    upload.headers = {{"content-type", "a/b"}};
    upload.checksum_kind = ChecksumKind::crc64nvme;
    upload.checksum_full_object = true;
    UploadRow decoded_upload;
    REQUIRE(decode_upload(as_bytes(encode_upload(upload)), decoded_upload).ok());
    CHECK(decoded_upload == upload);

    const std::vector<ObjectPart> parts{{1, 5 << 20, "abcd"}, {10'000, 17, ""}};
    CHECK(*decode_object_parts(as_bytes(encode_object_parts(parts))) == parts);
}

TEST_CASE("the bytes of the other rows' bodies do not change") {
    const auto hex = [](const std::string& bytes) { return to_hex(as_bytes(bytes)); };
    CHECK(hex(encode_extent(stripe_extent(4096, 17))) ==
          "010a11040302018080054d88776655443322118020808040d4c3b2a1");
    CHECK(hex(encode_extent(inline_extent(0, 300))) == "0105ac02e72400");
    PartRow part{.upload = 77, .number = 3, .size = 300, .last_modified = -5};
    part.etag.digest.fill(std::byte{0xab});
    part.checksum = {ChecksumKind::crc32, 0, "wxyz"};
    part.extents = {inline_extent(0, 300)};
    CHECK(hex(encode_part(part)) ==
          "01ac02abababababababababababababababab000100047778797a090100"
          "05ac02e72400");
    UploadRow upload;
    upload.headers = {{"a", "b"}};
    upload.checksum_kind = ChecksumKind::sha1;
    upload.checksum_full_object = true;
    CHECK(hex(encode_upload(upload)) == "0104010101610162");
    CHECK(hex(encode_object_parts({{1, 300, "wx"}, {2, 5, ""}})) == "010201ac02027778020500");
}

TEST_CASE("an extent that reaches past the last byte there can be is corruption") {
    Extent extent = stripe_extent(0, ~std::uint64_t{0});
    const std::string body = encode_extent(extent);
    CHECK(decode_extent(0, as_bytes(body)).ok());
    check_error(decode_extent(1, as_bytes(body)).error(), Code::corruption);
}

TEST_CASE("an ETag reads as S3 writes it") {
    ETag etag;
    etag.digest.fill(std::byte{0x0f});
    CHECK(etag.to_string() == "0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f");
    etag.parts = 12;
    CHECK(etag.to_string() == "0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f-12");
}

TEST_CASE("derived ETags differ for each inode and generation and end in -1") {
    std::set<std::string> seen;
    for (InodeId inode = 0; inode < 40; ++inode) {
        for (std::uint64_t generation = 0; generation < 40; ++generation) {
            const ETag etag = derived_etag(inode, generation);
            CHECK(etag == derived_etag(inode, generation));
            CHECK(etag.parts == 1);
            seen.insert(etag.to_string());
        }
    }
    CHECK(seen.size() == 1600);
    CHECK(seen.begin()->ends_with("-1"));
}

TEST_CASE("names that no path can express are hidden") {
    for (const std::string_view name : {"", "/", ".", "./", "..", "../"}) {
        CAPTURE(name);
        CHECK(hidden_from_paths(name));
    }
    CHECK(hidden_from_paths(std::string(256, 'x')));
    CHECK(hidden_from_paths(std::string(256, 'x') + '/'));
    CHECK_FALSE(hidden_from_paths(std::string(255, 'x')));
    CHECK_FALSE(hidden_from_paths(std::string(255, 'x') + '/'));
    CHECK_FALSE(hidden_from_paths("..."));
    CHECK_FALSE(hidden_from_paths("a"));
}

}  // namespace objstore
