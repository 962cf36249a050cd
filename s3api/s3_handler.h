#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "objstore/base/clock.h"
#include "s3api/auth/authenticator.h"
#include "s3api/http/handler.h"
#include "s3api/router.h"

namespace spdlog {
class logger;
}

namespace s3api {

// What S3 says about requests before an operation runs, and about failed ones after. Threads: any.
class S3Handler final : public Handler {
public:
    struct Options {
        std::string domain;
        std::string region;
        std::string host_id;
    };
    S3Handler(Options options,
              OpTable operations,
              const CredentialStore& credentials,
              const objstore::Clock& clock,
              std::shared_ptr<spdlog::logger> logger);

    void set_ready(bool ready) { ready_.store(ready); }

    void identify(Request& request) override;
    S3Result<Plan> admit(Request& request) override;
    Response error_response(const Request& request, const S3Status& status) override;
    void finished(const Request& request, int http_status, const S3Status& status) override;

private:
    std::optional<Response> health(const Request& request) const;

    const Options options_;
    const OpTable operations_;
    const Authenticator authenticator_;
    const std::shared_ptr<spdlog::logger> logger_;  // loggers are shared by their nature
    std::atomic<bool> ready_{false};
    std::atomic<std::uint64_t> next_id_;
};

}  // namespace s3api
