#include "bench/s3_connection.h"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

namespace bench {

namespace {

constexpr std::size_t kBufferBytes = std::size_t{256} * 1024;
constexpr std::uint64_t kDropBytesMax = std::uint64_t{4} * 1024 * 1024;

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

}  // namespace

S3Connection::S3Connection(const std::string& host, const std::string& port)
    : fd_(connect_to(host, port)), buffer_(kBufferBytes, '\0') {}

S3Connection::~S3Connection() {
    close(fd_);
}

void S3Connection::start(S3Request request) {
    request_ = std::move(request);
    sent_ = 0;
    response_.begin(
        {.no_body = request_.head.starts_with("HEAD "), .keep_body = request_.keep_body});
    started_ = Clock::now();
    first_byte_ = {};
}

bool S3Connection::on_writable() {
    const std::string& head = request_.head;
    const std::string_view body = request_.body;
    while (wants_write()) {
        iovec parts[2];
        int count = 0;
        if (sent_ < head.size()) {
            parts[count++] = {const_cast<char*>(head.data()) + sent_, head.size() - sent_};
        }
        const std::size_t body_sent = sent_ < head.size() ? 0 : sent_ - head.size();
        if (body_sent < body.size()) {
            parts[count++] = {const_cast<char*>(body.data()) + body_sent, body.size() - body_sent};
        }
        const ssize_t n = writev(fd_, parts, count);
        if (n < 0) return errno == EAGAIN;
        sent_ += static_cast<std::size_t>(n);
    }
    return true;
}

bool S3Connection::on_readable() {
    while (!done()) {
        // With MSG_TRUNC the kernel drops a TCP stream's bytes without copying them.
        const std::uint64_t drop = std::min(response_.unwanted_bytes(), kDropBytesMax);
        const ssize_t n = drop != 0 ? recv(fd_, nullptr, drop, MSG_TRUNC)
                                    : recv(fd_, buffer_.data(), buffer_.size(), 0);
        if (n < 0) return errno == EAGAIN;
        if (n == 0) return false;
        if (first_byte_ == Clock::time_point()) first_byte_ = Clock::now();
        if (drop != 0) {
            response_.skip(static_cast<std::uint64_t>(n));
        } else {
            response_.take(std::string_view(buffer_.data(), static_cast<std::size_t>(n)));
        }
    }
    return true;
}

}  // namespace bench
