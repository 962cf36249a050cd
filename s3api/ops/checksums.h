#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "objstore/base/bytes.h"
#include "objstore/meta/inode.h"
#include "s3api/http/body.h"
#include "s3api/http/request.h"
#include "s3api/http/response.h"
#include "s3api/ops/md5.h"

namespace s3api {

std::string base64_encode(std::string_view raw);
std::optional<std::string> base64_decode(std::string_view text);

// "CRC32", …; empty for none.
std::string_view checksum_name(objstore::ChecksumKind kind);
// "x-amz-checksum-crc32", …
std::string_view checksum_header(objstore::ChecksumKind kind);
std::optional<objstore::ChecksumKind> parse_checksum_name(std::string_view name);
// Bytes of a raw value of that kind.
std::size_t checksum_bytes(objstore::ChecksumKind kind);

// One checksum of a stream. Threads: one at a time.
class Hasher {
public:
    virtual ~Hasher() = default;
    virtual void update(objstore::Bytes bytes) = 0;
    virtual std::string finish() = 0;  // raw bytes, most significant first; once
};
std::unique_ptr<Hasher> make_hasher(objstore::ChecksumKind kind);

// What a client says of its body, and what came.
struct ExpectedDigests {
    std::optional<std::string> md5;  // raw
    objstore::ChecksumKind kind = objstore::ChecksumKind::none;
    std::optional<std::string> value;  // raw; nothing: comes in a trailer, or is only asked for
    bool in_trailer = false;
};
// From Content-MD5, x-amz-checksum-…, x-amz-trailer and x-amz-sdk-checksum-algorithm.
// invalid_digest, invalid_request: values that are none, more than one checksum, or a trailer that
// is none. not_implemented: a checksum of another kind.
S3Result<ExpectedDigests> expected_digests(const Request& request);

// MD5 and the checksum of a body while it is stored.
class BodyDigests final {
public:
    explicit BodyDigests(ExpectedDigests expected);
    void update(objstore::Bytes bytes);
    struct Values {
        objstore::ETag etag;
        objstore::StoredChecksum checksum;  // kind none: no checksum
    };
    // Compares with what the client said, the trailers among it. bad_digest.
    S3Result<Values> finish(const Headers& trailers);

private:
    ExpectedDigests expected_;
    Md5 md5_;
    std::unique_ptr<Hasher> checksum_;
};

// "abc=", and "abc=-3" for composites.
std::string checksum_text(const objstore::StoredChecksum& checksum);
void add_checksum_headers(Response& response,
                          const std::vector<objstore::StoredChecksum>& checksums);

}  // namespace s3api
