#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "objstore/base/clock.h"
#include "objstore/base/status.h"
#include "s3api/auth/authenticator.h"
#include "s3api/http/limits.h"
#include "s3api/router.h"

namespace spdlog {
class logger;
}

namespace s3api {

// S3 over HTTP, on whatever operations it is given. Also answers GET /health/live with 200 and
// GET /health/ready with 200 or 503, without credentials. Threads: any.
class Server final {
public:
    struct Options {
        std::string address = "127.0.0.1:9000";  // port 0: a free one
        std::size_t io_threads = 2;
        std::size_t worker_threads = 64;  // for short operations and pieces of answers
        std::size_t stream_threads = 64;  // for turns of long bodies
        std::size_t intakes_max = 56;     // long bodies at a time; others wait, see IntakeGate
        std::size_t long_op_threads = 4;  // for operations that take long by themselves
        std::size_t queue_max = 1024;     // waiting for any of these; slow_down beyond
        std::size_t connections_max = 4096;
        std::chrono::milliseconds tick{250};  // how exactly time limits are kept
        ConnectionLimits limits;
        std::string domain;   // for virtual-host style: "s3.example.com"; empty: path style alone
        std::string region;   // empty: whatever a client names
        std::string host_id;  // x-amz-id-2
    };

    // The store, the clock and whatever the operations refer to must outlive it.
    Server(const Options& options,
           OpTable operations,
           const CredentialStore& credentials,
           const objstore::Clock& clock,
           std::shared_ptr<spdlog::logger> logger);
    ~Server();  // stops, without grace

    // Gives the bound address. invalid_argument: not an address. already_exists: in use. Call once.
    objstore::Result<std::string> start();
    // What /health/ready says from now on; at first it says no.
    void set_ready(bool ready);
    // Refuses new connections, lets requests end for `grace`, then cuts them; returns when none is
    // left and no operation runs. Safe to repeat.
    void stop(std::chrono::milliseconds grace);

private:
    class Parts;
    std::unique_ptr<Parts> parts_;
};

}  // namespace s3api
