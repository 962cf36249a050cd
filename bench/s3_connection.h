#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "bench/http_response.h"

namespace bench {

// What to send, and whether the answer's body is of use. `body` is borrowed.
struct S3Request {
    std::string head;
    std::string_view body;
    bool keep_body = false;
};

// One keep-alive HTTP connection that costs little: it sends a prepared head and a borrowed body;
// a body that comes back is counted and dropped in the kernel, unless it is to be kept. Not
// blocking. Threads: one.
class S3Connection final {
public:
    using Clock = std::chrono::steady_clock;

    // Connects (blocking). Throws std::system_error.
    S3Connection(const std::string& host, const std::string& port);
    ~S3Connection();
    S3Connection(const S3Connection&) = delete;
    S3Connection& operator=(const S3Connection&) = delete;

    int fd() const { return fd_; }
    // Begins a request, whose body must stay valid until `done`.
    void start(S3Request request);
    bool wants_write() const { return sent_ < request_.head.size() + request_.body.size(); }
    // Call when the socket is ready. False: the connection broke.
    bool on_writable();
    bool on_readable();
    bool done() const { return response_.done(); }

    const HttpResponse& response() const { return response_; }
    Clock::time_point started() const { return started_; }
    Clock::time_point first_byte() const { return first_byte_; }

private:
    int fd_ = -1;
    S3Request request_;
    std::size_t sent_ = 0;
    HttpResponse response_;
    Clock::time_point started_;
    Clock::time_point first_byte_;
    std::string buffer_;
};

}  // namespace bench
