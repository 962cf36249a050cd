#include "s3api/ops/checksums.h"

#include <doctest/doctest.h>

#include "s3api/ops/multipart_checksum.h"

namespace s3api {
namespace {

using objstore::ChecksumKind;

std::string hash(ChecksumKind kind, std::string_view text) {
    const auto hasher = make_hasher(kind);
    hasher->update(objstore::as_bytes(text));
    return hasher->finish();
}

TEST_CASE("each checksum has its published value") {
    constexpr std::string_view kText = "123456789";
    CHECK(base64_encode(hash(ChecksumKind::crc32, kText)) == "y/Q5Jg==");
    CHECK(base64_encode(hash(ChecksumKind::crc32c, kText)) == "4waSgw==");
    CHECK(base64_encode(hash(ChecksumKind::crc64nvme, kText)) == "rosUhgp5mIg=");
    CHECK(base64_encode(hash(ChecksumKind::sha1, "")) == "2jmj7l5rSw0yVb/vlWAYkK/YBwk=");
    CHECK(base64_encode(hash(ChecksumKind::sha256, "")) ==
          "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
}

TEST_CASE("base64 round-trips and refuses what is none") {
    for (const char* text : {"", "a", "ab", "abc", "abcd"}) {
        CAPTURE(text);
        CHECK(base64_decode(base64_encode(text)) == text);
    }
    CHECK_FALSE(base64_decode("abc").has_value());
    CHECK_FALSE(base64_decode("ab*=").has_value());
}

TEST_CASE("the CRC of two parts combines into that of the whole") {
    const std::string first(100000, 'x');
    for (const std::size_t size : {std::size_t{1}, std::size_t{7}, std::size_t{70001}}) {
        const std::string second(size, 'y');
        for (const ChecksumKind kind :
             {ChecksumKind::crc32, ChecksumKind::crc32c, ChecksumKind::crc64nvme}) {
            CHECK(combine_crc(kind, hash(kind, first), hash(kind, second), size) ==
                  hash(kind, first + second));
        }
    }
}

Request with_headers(std::vector<Field> fields) {
    Request request;
    for (const Field& field : fields) request.headers.add(field);
    return request;
}

TEST_CASE("a trailer is known wherever its name stands in the list") {
    constexpr std::string_view kName = "x-amz-checksum-crc32";
    for (const char* value :
         {"x-amz-checksum-crc32", "X-Amz-Checksum-CRC32,", " ,x-amz-checksum-crc32 "}) {
        CAPTURE(value);
        const auto expected = expected_digests(with_headers({{"x-amz-trailer", value}}));
        REQUIRE(expected.ok());
        CHECK(expected->kind == ChecksumKind::crc32);
        CHECK(expected->in_trailer);
        BodyDigests digests(*expected);
        digests.update(objstore::as_bytes("123456789"));
        Headers trailers;
        trailers.add({kName, "AAAAAA=="});
        CHECK(digests.finish(trailers).error().error() == S3Error::bad_digest);
    }
}

TEST_CASE("what cannot be verified is refused, not taken as good") {
    const auto refused = [](std::vector<Field> fields) {
        return expected_digests(with_headers(std::move(fields))).error().error();
    };
    CHECK(refused({{"x-amz-trailer", "x-amz-checksum-crc32,x-amz-meta-a"}}) ==
          S3Error::invalid_request);
    CHECK(refused({{"x-amz-trailer", "x-amz-checksum-xxhash3"}}) == S3Error::invalid_request);
    CHECK(refused({{"x-amz-trailer", "x-amz-checksum-crc32"},
                   {"x-amz-trailer", "x-amz-checksum-sha1"}}) == S3Error::invalid_request);
    CHECK(refused({{"x-amz-trailer", "x-amz-checksum-crc32"},
                   {"x-amz-checksum-crc32", "y/Q5Jg=="}}) == S3Error::invalid_request);
    CHECK(refused({{"x-amz-checksum-crc32", "y/Q5Jg=="}, {"x-amz-checksum-crc32", "AAAAAA=="}}) ==
          S3Error::invalid_request);
    CHECK(refused({{"X-Amz-Checksum-MD5", "1B2M2Y8AsgTpgAmY7PhCfg=="}}) ==
          S3Error::not_implemented);
    CHECK(refused({{"x-amz-checksum-sha512", "AA=="}}) == S3Error::not_implemented);
    CHECK(expected_digests(with_headers({{"x-amz-checksum-type", "FULL_OBJECT"},
                                         {"x-amz-checksum-algorithm", "CRC32"}}))
              .ok());
}

TEST_CASE("a composite checksum is that of the parts' checksums") {
    const objstore::UploadRow upload{.checksum_kind = ChecksumKind::sha256};
    objstore::PartRow one;
    one.checksum = {.kind = ChecksumKind::sha256, .value = hash(ChecksumKind::sha256, "one")};
    objstore::PartRow two;
    two.checksum = {.kind = ChecksumKind::sha256, .value = hash(ChecksumKind::sha256, "two")};
    const auto made = object_checksum(upload, {one, two});
    CHECK(made.parts == 2);
    CHECK(made.value == hash(ChecksumKind::sha256, one.checksum.value + two.checksum.value));
    two.checksum.kind = ChecksumKind::crc32;
    CHECK(object_checksum(upload, {one, two}).kind == ChecksumKind::none);
}

// Of two parts, "a" and "b".
std::vector<objstore::PartRow> two_parts(ChecksumKind kind) {
    std::vector<objstore::PartRow> parts(2);
    for (std::size_t i = 0; i < parts.size(); ++i) {
        parts[i].size = 1;
        parts[i].checksum = {.kind = kind, .value = hash(kind, i == 0 ? "a" : "b")};
    }
    return parts;
}

S3Result<objstore::StoredChecksum> complete_with(const objstore::UploadRow& upload,
                                                 const std::vector<objstore::PartRow>& parts,
                                                 const std::vector<Field>& fields) {
    Request request;
    for (const Field& field : fields) request.headers.add(field);
    return completed_checksum(request, upload, parts);
}

TEST_CASE("a completion with a checksum of another algorithm than the upload's is refused") {
    objstore::UploadRow upload;
    upload.checksum_kind = ChecksumKind::crc32;
    upload.checksum_full_object = true;
    const auto parts = two_parts(ChecksumKind::crc32);
    const std::string right = base64_encode(hash(ChecksumKind::crc32, "ab"));
    const std::string sha = base64_encode(hash(ChecksumKind::sha256, "ab"));
    CHECK(complete_with(upload, parts, {}).value().value == hash(ChecksumKind::crc32, "ab"));
    CHECK(complete_with(upload, parts, {{"x-amz-checksum-crc32", right}}).ok());
    CHECK(complete_with(upload, parts, {{"x-amz-checksum-crc32", "AAAAAA=="}}).error().error() ==
          S3Error::bad_digest);
    const auto other = complete_with(
        upload, parts, {{"x-amz-checksum-crc32", right}, {"x-amz-checksum-sha256", sha}});
    CHECK(other.error().error() == S3Error::invalid_request);
    CHECK(other.error().message().find("expected checksum Type: crc32, actual checksum Type: "
                                       "sha256") != std::string_view::npos);
    upload.checksum_kind = ChecksumKind::none;
    CHECK(complete_with(upload, parts, {{"x-amz-checksum-sha256", sha}}).error().error() ==
          S3Error::invalid_request);
    CHECK(complete_with(upload, parts, {}).value().kind == ChecksumKind::none);
}

TEST_CASE("a completion with another type of checksum than the upload's is refused") {
    objstore::UploadRow upload;
    upload.checksum_kind = ChecksumKind::crc32c;
    const auto parts = two_parts(ChecksumKind::crc32c);
    CHECK(complete_with(upload, parts, {{"x-amz-checksum-type", "COMPOSITE"}}).ok());
    CHECK(complete_with(upload, parts, {{"x-amz-checksum-type", "FULL_OBJECT"}}).error().error() ==
          S3Error::invalid_request);
}

TEST_CASE("a completion with a checksum that the parts do not give is refused") {
    objstore::UploadRow upload;
    upload.checksum_kind = ChecksumKind::crc32;
    auto parts = two_parts(ChecksumKind::crc32);
    parts[1].checksum = {};
    CHECK(complete_with(upload, parts, {}).value().kind == ChecksumKind::none);
    CHECK(complete_with(upload, parts, {{"x-amz-checksum-crc32", "AAAAAA=="}}).error().error() ==
          S3Error::invalid_request);
}

}  // namespace
}  // namespace s3api
