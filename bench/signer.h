#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bench {

// That of nothing.
inline constexpr std::string_view kEmptyHash =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

std::string sha256_hex(std::string_view text);

// Signs requests with SigV4 in headers. One key a day, derived once. Threads: one.
class Signer final {
public:
    Signer(std::string host, std::string access_key, std::string secret_key);

    struct Request {
        std::string_view method;
        std::string_view path;            // encoded
        std::string_view query;           // encoded and sorted
        std::string_view payload_hash;    // hexadecimal, or UNSIGNED-PAYLOAD and so on
        std::uint64_t decoded_bytes = 0;  // of a body in chunks; 0: it is not
    };
    // The header lines Host, x-amz-date, x-amz-content-sha256 and Authorization.
    std::string headers(const Request& request);
    // The signature of the next chunk of the body whose request was signed last.
    std::string sign_chunk(std::string_view chunk_hash);

private:
    void refresh();
    std::string sign(const std::string& to_sign) const;

    const std::string host_;
    const std::string access_key_;
    const std::string secret_key_;
    std::string time_;  // 20130524T000000Z
    std::string scope_;
    std::string key_;
    std::string signature_;  // the last one
};

}  // namespace bench
