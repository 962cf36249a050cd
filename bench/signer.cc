#include "bench/signer.h"

#include <array>
#include <ctime>

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "objstore/base/bytes.h"

namespace bench {

namespace {

constexpr std::string_view kSignedHeaders = "host;x-amz-content-sha256;x-amz-date";

std::string hmac(std::string_view key, std::string_view text) {
    std::array<unsigned char, 32> out{};
    unsigned size = 0;
    HMAC(EVP_sha256(),
         key.data(),
         static_cast<int>(key.size()),
         reinterpret_cast<const unsigned char*>(text.data()),
         text.size(),
         out.data(),
         &size);
    return {reinterpret_cast<const char*>(out.data()), size};
}

}  // namespace

std::string sha256_hex(std::string_view text) {
    std::array<unsigned char, 32> out{};
    EVP_Digest(text.data(), text.size(), out.data(), nullptr, EVP_sha256(), nullptr);
    return objstore::to_hex(std::as_bytes(std::span(out)));
}

Signer::Signer(std::string host, std::string access_key, std::string secret_key)
    : host_(std::move(host)),
      access_key_(std::move(access_key)),
      secret_key_(std::move(secret_key)) {}

void Signer::refresh() {
    const std::time_t now = std::time(nullptr);
    std::tm utc{};
    gmtime_r(&now, &utc);
    std::array<char, 17> text{};
    std::strftime(text.data(), text.size(), "%Y%m%dT%H%M%SZ", &utc);
    const std::string time = text.data();
    const std::string day = time.substr(0, 8);
    if (!time_.starts_with(day)) {
        key_ = hmac(hmac(hmac(hmac("AWS4" + secret_key_, day), "us-east-1"), "s3"), "aws4_request");
        scope_ = day + "/us-east-1/s3/aws4_request";
    }
    time_ = time;
}

std::string Signer::headers(const Request& request) {
    refresh();
    const std::string decoded = std::to_string(request.decoded_bytes);
    const bool chunked = request.decoded_bytes != 0;
    const std::string names =
        fmt::format("{}{}", kSignedHeaders, chunked ? ";x-amz-decoded-content-length" : "");
    const std::string canonical =
        fmt::format("{}\n{}\n{}\nhost:{}\nx-amz-content-sha256:{}\nx-amz-date:{}\n{}\n{}\n{}",
                    request.method,
                    request.path,
                    request.query,
                    host_,
                    request.payload_hash,
                    time_,
                    chunked ? fmt::format("x-amz-decoded-content-length:{}\n", decoded) : "",
                    names,
                    request.payload_hash);
    signature_ =
        sign(fmt::format("AWS4-HMAC-SHA256\n{}\n{}\n{}", time_, scope_, sha256_hex(canonical)));
    std::string lines = fmt::format(
        "Host: {}\r\nx-amz-date: {}\r\nx-amz-content-sha256: {}\r\nAuthorization: "
        "AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={}, Signature={}\r\n",
        host_,
        time_,
        request.payload_hash,
        access_key_,
        scope_,
        names,
        signature_);
    if (chunked) {
        lines += fmt::format(
            "Content-Encoding: aws-chunked\r\nx-amz-decoded-content-length: {}\r\n", decoded);
    }
    return lines;
}

std::string Signer::sign_chunk(std::string_view chunk_hash) {
    signature_ = sign(fmt::format("AWS4-HMAC-SHA256-PAYLOAD\n{}\n{}\n{}\n{}\n{}",
                                  time_,
                                  scope_,
                                  signature_,
                                  kEmptyHash,
                                  chunk_hash));
    return signature_;
}

std::string Signer::sign(const std::string& to_sign) const {
    return objstore::to_hex(objstore::as_bytes(hmac(key_, to_sign)));
}

}  // namespace bench
