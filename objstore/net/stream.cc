#include "objstore/net/stream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include "objstore/base/assert.h"
#include "objstore/net/io_thread.h"

namespace objstore {

namespace {

using boost::system::error_code;
namespace asio = boost::asio;

constexpr auto kNever = std::chrono::nanoseconds::max();
// The pieces that are still to be written.
class Remaining {
public:
    // `scratch` is used within calls of this alone, and for the system call after them.
    Remaining(std::span<const Bytes> pieces, std::span<asio::const_buffer> scratch)
        : pieces_(pieces), buffers_(scratch) {
        skip_empty();
    }

    bool empty() const { return pieces_.empty(); }

    // The next ones, as Asio wants them.
    std::span<const asio::const_buffer> buffers() {
        std::size_t count = 0;
        std::size_t skip = offset_;
        for (const Bytes piece : pieces_) {
            if (count == buffers_.size()) break;
            const Bytes rest = piece.subspan(skip);
            buffers_[count++] = asio::const_buffer(rest.data(), rest.size());
            skip = 0;
        }
        return {buffers_.data(), count};
    }

    void consume(std::size_t bytes) {
        offset_ += bytes;
        while (!pieces_.empty() && offset_ >= pieces_.front().size()) {
            offset_ -= pieces_.front().size();
            pieces_ = pieces_.subspan(1);
        }
        ASSERT(!pieces_.empty() || offset_ == 0);
    }

private:
    void skip_empty() { consume(0); }

    std::span<const Bytes> pieces_;
    std::size_t offset_ = 0;  // into the first
    std::span<asio::const_buffer> buffers_;
};

}  // namespace

Stream::Stream(Socket socket, IoThread& thread)
    : socket_(std::move(socket)), thread_(thread), deadline_(kNever) {
    error_code error;
    const auto remote = socket_.remote_endpoint(error);
    if (!error) remote_ip_ = remote.address().to_string();
    socket_.set_option(asio::ip::tcp::no_delay(true), error);
    socket_.non_blocking(true, error);
    place_ = thread_.add(this);
    if (thread_.cutting_) cut();
}

Stream::~Stream() {
    thread_.remove(place_);
    close();
}

Status Stream::failure(const error_code& error, std::string_view what) const {
    if (cut_) return Status::cancelled("the server stops");
    if (expired_) return Status::timed_out(std::string(what) + ": the peer is too slow");
    if (error == asio::error::operation_aborted) return Status::cancelled(std::string(what));
    return Status::io_error(std::string(what) + ": " + error.message());
}

Task<Result<std::size_t>> Stream::read_some(MutableBytes into) {
    ASSERT(!into.empty());
    if (cut_) co_return Status::cancelled("the server stops");
    const asio::mutable_buffer buffer(into.data(), into.size());
    auto [error, bytes] = co_await socket_.async_read_some(buffer, kAsTuple);
    if (!error) co_return bytes;
    if (error == asio::error::eof && !cut_) co_return std::size_t{0};
    co_return failure(error, "receive");
}

Task<Status> Stream::write(std::span<const Bytes> pieces, std::chrono::nanoseconds limit) {
    Remaining remaining(pieces, thread_.write_scratch_);
    std::uint64_t progress = 0;
    expires_after(limit);
    while (!remaining.empty()) {
        if (cut_) co_return Status::cancelled("the server stops");
        error_code error;
        // Most answers fit the socket's buffer: no suspension for them.
        const std::size_t bytes = socket_.write_some(remaining.buffers(), error);
        if (error == asio::error::would_block || error == asio::error::try_again) {
            auto [waited] = co_await socket_.async_wait(Socket::wait_write, kAsTuple);
            if (waited) co_return failure(waited, "send");
            if (expired_) co_return failure(waited, "send");
            continue;
        }
        if (error) co_return failure(error, "send");
        remaining.consume(bytes);
        progress += bytes;
        if (progress >= kProgressBytes) {
            progress = 0;
            expires_after(limit);
        }
    }
    expires_never();
    co_return Status();
}

void Stream::expires_after(std::chrono::nanoseconds limit) {
    expired_ = false;
    // Coarse time may be one tick behind.
    deadline_ = thread_.now_ + thread_.tick_ + limit;
}

void Stream::expires_never() {
    expired_ = false;
    deadline_ = kNever;
}

void Stream::cancel() {
    error_code error;
    socket_.cancel(error);
}

bool Stream::hung_up() {
    tcp_info info{};
    socklen_t size = sizeof(info);
    const int failed = getsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_INFO, &info, &size);
    return cut_ || failed != 0 || info.tcpi_state != TCP_ESTABLISHED;
}

void Stream::close() {
    error_code error;
    socket_.close(error);
}

void Stream::shutdown_send() {
    error_code error;
    socket_.shutdown(Socket::shutdown_send, error);
}

void Stream::set_idle(bool idle) {
    idle_ = idle;
    idle_since_ = thread_.now_;
    if (idle && thread_.stopping_) cut();
}

bool Stream::stopping() const {
    return thread_.stopping_;
}

void Stream::cut() {
    cut_ = true;
    error_code error;
    socket_.shutdown(Socket::shutdown_both, error);
    socket_.cancel(error);
}

}  // namespace objstore
