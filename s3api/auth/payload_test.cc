#include "s3api/auth/payload.h"

#include <algorithm>
#include <string>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "s3api/auth/auth_test_util.h"

using namespace s3api;
using objstore::as_bytes;
using objstore::as_text;

namespace {

const std::string kSeed = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";

ChunkSigning example_signing() {
    const CredentialScope scope{std::string(kExampleKey), "20130524", "us-east-1"};
    return {derive_signing_key(kExampleSecret, scope), "20130524T000000Z", scope.text(), kSeed};
}

PayloadPromise promise(Payload kind) {
    PayloadPromise out;
    out.kind = kind;
    out.signing = example_signing();
    return out;
}

PayloadPromise hashed(std::string_view text) {
    PayloadPromise out;
    out.kind = Payload::hashed;
    out.hash = Sha256::of(as_bytes(text));
    return out;
}

// Signs as a client does.
class ChunkWriter {
public:
    std::string chunk(std::string_view data) {
        const std::string empty = to_hex(Sha256::of({}));
        const std::string signature =
            sign("PAYLOAD", empty + "\n" + to_hex(Sha256::of(as_bytes(data))));
        const std::string line = fmt::format("{:x};chunk-signature={}\r\n", data.size(), signature);
        return line + std::string(data) + (data.empty() ? "" : "\r\n");
    }
    std::string trailer(std::string_view name, std::string_view value) {
        const std::string line = fmt::format("{}:{}\n", name, value);
        const std::string signature = sign("TRAILER", to_hex(Sha256::of(as_bytes(line))));
        return fmt::format("{}:{}\r\nx-amz-trailer-signature:{}\r\n\r\n", name, value, signature);
    }

private:
    std::string sign(std::string_view what, const std::string& tail) {
        const std::string text = fmt::format("AWS4-HMAC-SHA256-{}\n{}\n{}\n{}\n{}",
                                             what,
                                             signing_.amz_date,
                                             signing_.scope,
                                             signing_.previous_signature,
                                             tail);
        return signing_.previous_signature = to_hex(hmac_sha256(signing_.key, as_bytes(text)));
    }
    ChunkSigning signing_ = example_signing();
};

struct Outcome {
    S3Status status;
    std::string payload;
    std::size_t consumed_bytes = 0;
    std::string trailer;
};

// Feeds `raw` in pieces of `piece_bytes`.
Outcome decode(PayloadDecoder& decoder, std::string_view raw, std::size_t piece_bytes) {
    Outcome out;
    while (!raw.empty() && !decoder.done()) {
        const auto step = decoder.step(as_bytes(raw.substr(0, piece_bytes)));
        if (!step.ok()) {
            out.status = step.error();
            return out;
        }
        REQUIRE(step->consumed_bytes > 0);
        out.payload += as_text(step->payload);
        out.consumed_bytes += step->consumed_bytes;
        raw.remove_prefix(step->consumed_bytes);
    }
    out.status = decoder.end();
    out.trailer = decoder.trailers().find("x-amz-checksum-crc32c").value_or("");
    return out;
}

Outcome decode(Payload kind,
               std::string_view raw,
               std::uint64_t size_bytes,
               std::size_t piece_bytes = 1 << 20) {
    PayloadDecoder decoder(promise(kind), size_bytes, "x-amz-checksum-crc32c");
    return decode(decoder, raw, piece_bytes);
}

S3Error error(Payload kind, std::string_view raw, std::uint64_t size_bytes) {
    const Outcome out = decode(kind, raw, size_bytes);
    REQUIRE(!out.status.ok());
    CHECK(decode(kind, raw, size_bytes, 1).status.error() == out.status.error());
    return out.status.error();
}

const std::string kUnsignedExample =
    "5\r\nhello\r\n6\r\n world\r\n0\r\nx-amz-checksum-crc32c:yZRlqg==\r\n\r\n";

}  // namespace

TEST_CASE("the published example of a chunked upload is decoded, in pieces of any size") {
    const std::string first =
        "10000;chunk-signature="
        "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n" +
        std::string(65536, 'a') + "\r\n";
    const std::string second =
        "400;chunk-signature="
        "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n" +
        std::string(1024, 'a') + "\r\n";
    const std::string last =
        "0;chunk-signature="
        "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n";
    const std::string raw = first + second + last;
    for (const std::size_t piece : {1u, 7u, 4096u, 65536u, 1u << 20}) {
        CAPTURE(piece);
        const Outcome out = decode(Payload::streaming_signed, raw, 66560, piece);
        CHECK(out.status.ok());
        CHECK(out.payload == std::string(66560, 'a'));
        CHECK(out.consumed_bytes == raw.size());
    }
}

TEST_CASE("a changed byte, signature or order of chunks is noticed") {
    ChunkWriter writer;
    const std::string a = writer.chunk("hello ");
    const std::string b = writer.chunk("world!");
    const std::string end = writer.chunk("") + "\r\n";
    const auto kind = Payload::streaming_signed;
    const auto wrong = S3Error::signature_does_not_match;
    REQUIRE(decode(kind, a + b + end, 12).payload == "hello world!");
    std::string changed = a;
    changed[changed.find("hello")] = 'j';
    CHECK(error(kind, changed + b + end, 12) == wrong);
    changed = a;
    char& digit = changed[changed.find("signature=") + 10];
    digit = digit == '0' ? '1' : '0';
    CHECK(error(kind, changed + b + end, 12) == wrong);
    CHECK(error(kind, b + a + end, 12) == wrong);
    CHECK(error(kind, a + end, 6) == wrong);
    CHECK(error(kind, "6;chunk-signature=\r\nhello \r\n", 12) == wrong);
    CHECK(error(kind, "6\r\nhello \r\n", 12) == S3Error::invalid_request);
}

TEST_CASE("a signed trailer is checked and handed on") {
    ChunkWriter writer;
    std::string data = writer.chunk("hello");
    data += writer.chunk("");
    const std::string trailer = writer.trailer("x-amz-checksum-crc32c", "mnG7TA==");
    const auto kind = Payload::streaming_signed_trailer;
    for (const std::size_t piece : {1u, 3u, 1000u}) {
        const Outcome out = decode(kind, data + trailer, 5, piece);
        CHECK(out.status.ok());
        CHECK(out.trailer == "mnG7TA==");
    }
    std::string changed = trailer;
    changed[changed.find("mnG7")] = 'n';
    CHECK(error(kind, data + changed, 5) == S3Error::signature_does_not_match);
    CHECK(error(kind, data + "x-amz-checksum-crc32c:mnG7TA==\r\n\r\n\r\n", 5) ==
          S3Error::signature_does_not_match);
    std::string parted = trailer;
    parted.insert(parted.find("x-amz-trailer"), "\r\n");
    CHECK(decode(kind, data + parted, 5).status.ok());
}

TEST_CASE("an unsigned trailer is handed on, and only what was announced") {
    const auto kind = Payload::streaming_unsigned_trailer;
    for (const std::size_t piece : {1u, 2u, 1000u}) {
        const Outcome out = decode(kind, kUnsignedExample, 11, piece);
        CHECK(out.status.ok());
        CHECK(out.payload == "hello world");
        CHECK(out.trailer == "yZRlqg==");
    }
    const std::string data = "5\r\nhello\r\n0\r\n";
    for (const std::string& trailer : {std::string("x-amz-meta-a:b\r\n\r\n"),
                                       std::string("nonsense\r\n\r\n"),
                                       std::string(":x\r\n\r\n"),
                                       std::string("\r\n"),
                                       std::string("x-amz-checksum-crc32c:a\r\n"
                                                   "x-amz-checksum-crc32c:b\r\n\r\n")}) {
        CAPTURE(trailer);
        CHECK(error(kind, data + trailer, 5) == S3Error::malformed_trailer);
    }
}

TEST_CASE("a chunk may be as long as the body") {
    constexpr std::uint64_t kBytes = 80 * objstore::kMiB;
    PayloadDecoder decoder(promise(Payload::streaming_unsigned_trailer), kBytes, "");
    const std::string line = fmt::format("{:x}\r\n", kBytes);
    REQUIRE(decoder.step(as_bytes(line)).ok());
    const std::string piece(1 << 20, 'a');
    for (std::uint64_t given = 0; given < kBytes; given += piece.size()) {
        const auto step = decoder.step(as_bytes(piece));
        REQUIRE(step.ok());
        REQUIRE(step->payload.size() == piece.size());
    }
    CHECK(decode(decoder, "\r\n0\r\n\r\n", 1).status.ok());
}

TEST_CASE("hostile chunk sizes and lines are refused") {
    const auto kind = Payload::streaming_unsigned_trailer;
    const auto wrong = S3Error::invalid_request;
    CHECK(error(kind, "\r\n", 5) == wrong);
    CHECK(error(kind, "-1\r\n", 5) == wrong);
    CHECK(error(kind, "5x\r\n", 5) == wrong);
    CHECK(error(kind, "0x5\r\n", 5) == wrong);
    CHECK(error(kind, "fffffffffffffffff\r\n", 5) == wrong);
    CHECK(error(kind, "ffffffffffffffff\r\n", ~std::uint64_t{0} - 1) == wrong);
    CHECK(error(kind, "6\r\n", 5) == wrong);
    CHECK(error(kind, "5\r\nhello!\r\n", 11) == wrong);
    CHECK(error(kind, std::string(PayloadDecoder::kLineBytesMax + 1, '1'), 5) == wrong);
    CHECK(error(kind, "5;" + std::string(PayloadDecoder::kLineBytesMax, 'x') + "\r\n", 5) == wrong);
}

TEST_CASE("a body that ends early is incomplete, at whichever byte") {
    const auto kind = Payload::streaming_unsigned_trailer;
    for (std::size_t length = 0; length < kUnsignedExample.size(); ++length) {
        CAPTURE(length);
        const Outcome out = decode(kind, kUnsignedExample.substr(0, length), 11);
        REQUIRE(!out.status.ok());
        CHECK(out.status.error() == S3Error::incomplete_body);
    }
    CHECK(error(kind, kUnsignedExample, 12) == S3Error::incomplete_body);
}

TEST_CASE("a whole body is compared with its hash before its end is told") {
    PayloadDecoder good(hashed("hello"), 5, "");
    const Outcome out = decode(good, "hello", 2);
    CHECK(out.status.ok());
    CHECK(out.payload == "hello");
    PayloadDecoder bad(hashed("hello"), 5, "");
    CHECK(decode(bad, "hellO", 5).status.error() == S3Error::x_amz_content_sha256_mismatch);
    PayloadDecoder cut(hashed("hello"), 5, "");
    CHECK(decode(cut, "hell", 5).status.error() == S3Error::incomplete_body);
}

TEST_CASE("an empty body keeps its promise too") {
    PayloadDecoder good(hashed(""), 0, "");
    CHECK(good.end().ok());
    CHECK(good.done());
    PayloadDecoder bad(hashed("x"), 0, "");
    CHECK(bad.end().error() == S3Error::x_amz_content_sha256_mismatch);
    PayloadDecoder unsigned_body(promise(Payload::unsigned_whole), 0, "");
    CHECK(unsigned_body.end().ok());
    ChunkWriter writer;
    const std::string raw = writer.chunk("") + "\r\n";
    CHECK(decode(Payload::streaming_signed, raw, 0).status.ok());
}
