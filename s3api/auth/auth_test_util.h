#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "objstore/base/clock.h"
#include "s3api/auth/authenticator.h"
#include "s3api/base/time.h"

namespace s3api {

inline constexpr std::string_view kExampleKey = "AKIAIOSFODNN7EXAMPLE";
inline constexpr std::string_view kExampleSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

// The key pair of the examples in Amazon's documentation.
class ExampleStore final : public CredentialStore {
public:
    std::optional<std::string> secret(std::string_view access_key) const override {
        if (access_key != kExampleKey) return std::nullopt;
        return std::string(kExampleSecret);
    }
};

// A clock that stands where it is put.
class FixedClock final : public objstore::Clock {
public:
    explicit FixedClock(std::string_view amz_date) { set(amz_date); }
    void set(std::string_view amz_date) { now_ = parse_amz_date(amz_date).value(); }
    objstore::UnixNanos now() const override { return now_; }
    std::chrono::nanoseconds steady() const override { return std::chrono::nanoseconds(now_); }

private:
    objstore::UnixNanos now_ = 0;
};

// A request as a client builds it, and what of it is signed.
struct TestMessage {
    std::string method = "GET";
    std::string path = "/";
    std::string query;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string host_bucket;  // with virtual hosts

    S3Result<Authenticated> authenticate(const Authenticator& authenticator) const {
        TRY_ASSIGN(const Query parsed, Query::parse(query));
        Headers fields;
        for (const auto& [name, value] : headers) fields.add({name, value});
        return authenticator.authenticate({method, path, &parsed, &fields, host_bucket});
    }
    void set(std::string_view name, std::string value) {
        for (auto& header : headers) {
            if (header.first == name) {
                header.second = std::move(value);
                return;
            }
        }
        headers.emplace_back(name, std::move(value));
    }
    void erase(std::string_view name) {
        std::erase_if(headers, [&](const auto& h) { return h.first == name; });
    }
};

}  // namespace s3api
