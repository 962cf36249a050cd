#include "bench/s3_connection.h"

#include <cerrno>
#include <cstdlib>
#include <system_error>

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

namespace bench {

namespace {

constexpr std::size_t kBufferBytes = 256 * 1024;

int connect_to(const std::string& host, const std::string& port) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0) {
        throw std::system_error(EINVAL, std::generic_category(), host);
    }
    const int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int failed = connect(fd, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    if (failed != 0) throw std::system_error(errno, std::generic_category(), host + ":" + port);
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    return fd;
}

std::string_view header_value(std::string_view head, const char* name, std::size_t name_size) {
    for (std::size_t at = head.find("\r\n"); at != std::string_view::npos;
         at = head.find("\r\n", at + 2)) {
        const std::string_view line = head.substr(at + 2, head.find("\r\n", at + 2) - at - 2);
        if (line.size() > name_size && strncasecmp(line.data(), name, name_size) == 0) {
            return line.substr(name_size);
        }
    }
    return {};
}

}  // namespace

S3Connection::S3Connection(const std::string& host, const std::string& port)
    : fd_(connect_to(host, port)), buffer_(kBufferBytes, '\0') {}

S3Connection::~S3Connection() {
    close(fd_);
}

void S3Connection::start(std::string head, std::string_view body, bool keep_body) {
    head_ = std::move(head);
    no_body_ = head_.starts_with("HEAD ");
    body_ = body;
    sent_ = 0;
    keep_body_ = keep_body;
    done_ = false;
    response_head_.clear();
    in_body_ = false;
    body_received_ = 0;
    kept_.clear();
    started_ = Clock::now();
    first_byte_ = {};
}

bool S3Connection::on_writable() {
    while (wants_write()) {
        iovec parts[2];
        int count = 0;
        if (sent_ < head_.size()) {
            parts[count++] = {head_.data() + sent_, head_.size() - sent_};
        }
        const std::size_t body_sent = sent_ < head_.size() ? 0 : sent_ - head_.size();
        if (body_sent < body_.size()) {
            parts[count++] = {const_cast<char*>(body_.data()) + body_sent,
                              body_.size() - body_sent};
        }
        const ssize_t n = writev(fd_, parts, count);
        if (n < 0) return errno == EAGAIN;
        sent_ += static_cast<std::size_t>(n);
    }
    return true;
}

bool S3Connection::on_readable() {
    while (!done_) {
        const ssize_t n = recv(fd_, buffer_.data(), buffer_.size(), 0);
        if (n < 0) return errno == EAGAIN;
        if (n == 0) return false;
        if (first_byte_ == Clock::time_point()) first_byte_ = Clock::now();
        take(std::string_view(buffer_.data(), static_cast<std::size_t>(n)));
    }
    return true;
}

void S3Connection::take(std::string_view bytes) {
    if (!in_body_) {
        response_head_.append(bytes);
        const std::size_t end = response_head_.find("\r\n\r\n");
        if (end == std::string::npos) return;
        const std::string rest = response_head_.substr(end + 4);
        response_head_.resize(end + 2);
        parse_head();
        in_body_ = status_ != 100;
        if (!in_body_) response_head_.clear();
        return take(rest);
    }
    body_received_ += bytes.size();
    if (keep_body_ || status_ >= 400) kept_.append(bytes);
    if (body_received_ >= length_) done_ = true;
}

void S3Connection::parse_head() {
    status_ = std::atoi(response_head_.c_str() + response_head_.find(' ') + 1);
    constexpr std::string_view kLength = "content-length:";
    const std::string_view value = header_value(response_head_, kLength.data(), kLength.size());
    length_ = no_body_ || value.empty() ? 0 : std::strtoull(value.data(), nullptr, 10);
}

}  // namespace bench
