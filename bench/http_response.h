#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bench {

// One HTTP response, taken as its bytes come in. Counts the body and keeps it only on request.
// Threads: one.
class HttpResponse final {
public:
    struct Options {
        bool no_body = false;    // the answer of a HEAD
        bool keep_body = false;  // one of an error is kept anyway
    };
    void begin(Options options);
    // Takes all of `bytes`. Throws std::runtime_error where they are no HTTP response.
    void take(std::string_view bytes);
    // How many bytes that come next are body that nobody wants to see.
    std::uint64_t unwanted_bytes() const;
    // So many of those came and went unseen.
    void skip(std::uint64_t count);

    bool done() const { return state_ == State::done; }
    int status() const { return status_; }
    std::uint64_t body_bytes() const { return body_bytes_; }
    const std::string& body() const { return body_; }
    // Empty when the response has no such header. `name` in lower case.
    std::string_view header(std::string_view name) const;

private:
    enum class State { head, body, chunk_size, chunk, chunk_end, trailer, done };

    void parse_head();
    std::size_t take_head(std::string_view bytes);
    std::size_t take_body(std::string_view bytes);
    std::size_t take_line(std::string_view bytes);
    void end_line();
    bool keeps() const { return options_.keep_body || status_ >= 400; }

    Options options_;
    State state_ = State::done;
    std::string head_;
    std::string line_;
    int status_ = 0;
    std::uint64_t left_ = 0;  // of the body, or of the chunk
    std::uint64_t body_bytes_ = 0;
    std::string body_;
};

}  // namespace bench
