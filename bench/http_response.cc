#include "bench/http_response.h"

#include <algorithm>
#include <cstdlib>
#include <stdexcept>

#include <strings.h>

namespace bench {

namespace {

constexpr std::size_t kHeadBytesMax = std::size_t{64} * 1024;

}  // namespace

void HttpResponse::begin(Options options) {
    options_ = options;
    state_ = State::head;
    head_.clear();
    line_.clear();
    status_ = 0;
    left_ = 0;
    body_bytes_ = 0;
    body_.clear();
}

void HttpResponse::take(std::string_view bytes) {
    while (!bytes.empty()) {
        switch (state_) {
            case State::head:
                bytes.remove_prefix(take_head(bytes));
                break;
            case State::body:
            case State::chunk:
                bytes.remove_prefix(take_body(bytes));
                break;
            case State::chunk_size:
            case State::chunk_end:
            case State::trailer:
                bytes.remove_prefix(take_line(bytes));
                break;
            case State::done:
                throw std::runtime_error("the response is longer than it said");
        }
    }
}

std::uint64_t HttpResponse::unwanted_bytes() const {
    return (state_ == State::body || state_ == State::chunk) && !keeps() ? left_ : 0;
}

void HttpResponse::skip(std::uint64_t count) {
    body_bytes_ += count;
    left_ -= count;
    if (left_ == 0) state_ = state_ == State::body ? State::done : State::chunk_end;
}

std::string_view HttpResponse::header(std::string_view name) const {
    const std::string_view head = head_;
    for (std::size_t at = head.find("\r\n"); at != std::string_view::npos;
         at = head.find("\r\n", at + 2)) {
        std::string_view line = head.substr(at + 2);
        line = line.substr(0, line.find("\r\n"));
        if (line.size() <= name.size() || line[name.size()] != ':' ||
            strncasecmp(line.data(), name.data(), name.size()) != 0) {
            continue;
        }
        line.remove_prefix(name.size() + 1);
        line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
        return line;
    }
    return {};
}

std::size_t HttpResponse::take_head(std::string_view bytes) {
    const std::size_t before = head_.size();
    head_.append(bytes.substr(0, kHeadBytesMax));
    const std::size_t end = head_.find("\r\n\r\n", before < 3 ? 0 : before - 3);
    if (end == std::string::npos) {
        if (head_.size() >= kHeadBytesMax) throw std::runtime_error("a head without end");
        return bytes.size();
    }
    head_.resize(end + 4);
    parse_head();
    return end + 4 - before;
}

void HttpResponse::parse_head() {
    if (!head_.starts_with("HTTP/1.1 ")) throw std::runtime_error("no HTTP/1.1: " + head_);
    status_ = std::atoi(head_.c_str() + sizeof("HTTP/1.1"));
    if (status_ == 100) {
        head_.clear();
        return;
    }
    const std::string_view length = header("content-length");
    if (options_.no_body || status_ == 204 || status_ == 304) {
        state_ = State::done;
    } else if (header("transfer-encoding") == "chunked") {
        state_ = State::chunk_size;
    } else if (length.empty()) {
        throw std::runtime_error("a body of no stated length: " + head_);
    } else {
        left_ = std::strtoull(std::string(length).c_str(), nullptr, 10);
        state_ = left_ == 0 ? State::done : State::body;
    }
}

std::size_t HttpResponse::take_body(std::string_view bytes) {
    const std::size_t count = std::min<std::uint64_t>(left_, bytes.size());
    if (keeps()) body_.append(bytes.substr(0, count));
    skip(count);
    return count;
}

std::size_t HttpResponse::take_line(std::string_view bytes) {
    const std::size_t end = bytes.find('\n');
    line_.append(bytes.substr(0, end));
    if (line_.size() > kHeadBytesMax) throw std::runtime_error("a line without end");
    if (end == std::string_view::npos) return bytes.size();
    if (line_.ends_with('\r')) line_.pop_back();
    end_line();
    line_.clear();
    return end + 1;
}

void HttpResponse::end_line() {
    if (state_ == State::chunk_size) {
        left_ = std::strtoull(line_.c_str(), nullptr, 16);
        state_ = left_ == 0 ? State::trailer : State::chunk;
    } else if (state_ == State::chunk_end) {
        state_ = State::chunk_size;
    } else if (line_.empty()) {
        state_ = State::done;
    }
}

}  // namespace bench
