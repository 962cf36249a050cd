#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace bench {

// One keep-alive HTTP connection that costs little: it sends a prepared head and a borrowed body,
// and counts what comes back, keeping bodies only on request. Not blocking. Threads: one.
class S3Connection final {
public:
    using Clock = std::chrono::steady_clock;

    // Connects (blocking). Throws std::system_error.
    S3Connection(const std::string& host, const std::string& port);
    ~S3Connection();
    S3Connection(const S3Connection&) = delete;
    S3Connection& operator=(const S3Connection&) = delete;

    int fd() const { return fd_; }
    // Begins a request. `body` must stay valid until `done`.
    void start(std::string head, std::string_view body, bool keep_body);
    bool wants_write() const { return sent_ < head_.size() + body_.size(); }
    // Call when the socket is ready. False: the connection broke.
    bool on_writable();
    bool on_readable();
    bool done() const { return done_; }

    int status() const { return status_; }
    std::uint64_t body_bytes() const { return body_received_; }
    const std::string& kept_body() const { return kept_; }
    Clock::time_point started() const { return started_; }
    Clock::time_point first_byte() const { return first_byte_; }

private:
    void take(std::string_view bytes);
    void parse_head();

    int fd_ = -1;
    std::string head_;
    std::string_view body_;
    std::size_t sent_ = 0;
    bool keep_body_ = false;
    bool no_body_ = false;  // HEAD
    bool done_ = true;
    std::string response_head_;
    bool in_body_ = false;
    int status_ = 0;
    std::uint64_t length_ = 0;
    std::uint64_t body_received_ = 0;
    std::string kept_;
    Clock::time_point started_;
    Clock::time_point first_byte_;
    std::string buffer_;
};

}  // namespace bench
