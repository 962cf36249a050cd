#include "s3api/auth/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "objstore/base/assert.h"

namespace s3api {

namespace {

constexpr std::size_t kBlockBytes = 64;

// Fetched once: OpenSSL 3 looks an algorithm up by name each time that it is not.
const EVP_MD* sha256_algorithm() {
    static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    ASSERT(algorithm != nullptr);
    return algorithm;
}

int digit_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

}  // namespace

void Sha256::Free::operator()(evp_md_ctx_st* context) const {
    EVP_MD_CTX_free(context);
}

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
    ASSERT(context_ != nullptr);
    ASSERT(EVP_DigestInit_ex2(context_.get(), sha256_algorithm(), nullptr) == 1);
}

void Sha256::update(objstore::Bytes bytes) {
    ASSERT(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
}

Sha256Digest Sha256::finish() {
    Sha256Digest digest;
    unsigned size = 0;
    auto* out = reinterpret_cast<unsigned char*>(digest.data());
    ASSERT(EVP_DigestFinal_ex(context_.get(), out, &size) == 1);
    ASSERT(size == digest.size());
    ASSERT(EVP_DigestInit_ex2(context_.get(), nullptr, nullptr) == 1);
    return digest;
}

Sha256Digest Sha256::of(objstore::Bytes bytes) {
    thread_local Sha256 hash;  // OpenSSL takes longer to make one than to hash a line
    hash.update(bytes);
    return hash.finish();
}

Sha256Digest hmac_sha256(objstore::Bytes key, objstore::Bytes text) {
    thread_local Sha256 hash;
    Sha256Digest key_digest;
    if (key.size() > kBlockBytes) {
        key_digest = Sha256::of(key);
        key = key_digest;
    }
    std::array<std::byte, kBlockBytes> inner;
    std::array<std::byte, kBlockBytes> outer;
    for (std::size_t i = 0; i < kBlockBytes; ++i) {
        const std::byte byte = i < key.size() ? key[i] : std::byte{0};
        inner[i] = byte ^ std::byte{0x36};
        outer[i] = byte ^ std::byte{0x5c};
    }
    hash.update(inner);
    hash.update(text);
    const Sha256Digest inner_digest = hash.finish();
    hash.update(outer);
    hash.update(inner_digest);
    return hash.finish();
}

std::string hmac_sha1_base64(std::string_view key, std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
    unsigned size = 0;
    ASSERT(HMAC(EVP_sha1(),
                key.data(),
                static_cast<int>(key.size()),
                reinterpret_cast<const unsigned char*>(text.data()),
                text.size(),
                digest.data(),
                &size) != nullptr);
    ASSERT(size == 20);
    std::array<unsigned char, 29> encoded;  // four for each three, and the end of a C string
    const int length = EVP_EncodeBlock(encoded.data(), digest.data(), static_cast<int>(size));
    return {reinterpret_cast<const char*>(encoded.data()), static_cast<std::size_t>(length)};
}

std::string to_hex(const Sha256Digest& digest) {
    return objstore::to_hex(objstore::Bytes(digest));
}

std::optional<Sha256Digest> parse_sha256_hex(std::string_view hex) {
    Sha256Digest digest;
    if (hex.size() != 2 * digest.size()) return std::nullopt;
    for (std::size_t i = 0; i < digest.size(); ++i) {
        const int high = digit_value(hex[2 * i]);
        const int low = digit_value(hex[2 * i + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        digest[i] = static_cast<std::byte>(high * 16 + low);
    }
    return digest;
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace s3api
