#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "objstore/base/bytes.h"

struct evp_md_ctx_st;

namespace s3api {

using Sha256Digest = std::array<std::byte, 32>;

// SHA-256 as it goes along. Moves, never copies.
class Sha256 final {
public:
    Sha256();

    void update(objstore::Bytes bytes);
    // The digest of all so far; begins anew.
    Sha256Digest finish();

    static Sha256Digest of(objstore::Bytes bytes);

private:
    struct Free {
        void operator()(evp_md_ctx_st* context) const;
    };
    std::unique_ptr<evp_md_ctx_st, Free> context_;
};

Sha256Digest hmac_sha256(objstore::Bytes key, objstore::Bytes text);

// For signatures of version 2: HMAC-SHA1, as base64.
std::string hmac_sha1_base64(std::string_view key, std::string_view text);

// Lower case, 64 digits.
std::string to_hex(const Sha256Digest& digest);
// From exactly 64 digits of either case.
std::optional<Sha256Digest> parse_sha256_hex(std::string_view hex);

// Takes the same time wherever two texts of one length differ.
bool equal_in_constant_time(std::string_view a, std::string_view b);

}  // namespace s3api
