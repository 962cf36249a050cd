#pragma once

#include <string>
#include <string_view>

namespace bench {

std::string sha256_hex(std::string_view text);

// Signs requests with SigV4 in headers. One key a day, derived once. Threads: one.
class Signer final {
public:
    Signer(std::string host, std::string access_key, std::string secret_key);

    struct Request {
        std::string_view method;
        std::string_view path;          // encoded
        std::string_view query;         // encoded and sorted
        std::string_view payload_hash;  // hexadecimal, or UNSIGNED-PAYLOAD
    };
    // The header lines Host, x-amz-date, x-amz-content-sha256 and Authorization.
    std::string headers(const Request& request);

private:
    void refresh();

    const std::string host_;
    const std::string access_key_;
    const std::string secret_key_;
    std::string time_;  // 20130524T000000Z
    std::string scope_;
    std::string key_;
};

}  // namespace bench
