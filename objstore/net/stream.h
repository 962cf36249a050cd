#pragma once

#include <chrono>
#include <cstdint>
#include <list>
#include <span>
#include <string>

#include "objstore/base/bytes.h"
#include "objstore/net/task.h"

namespace objstore {

class IoThread;

// One TCP connection, on one I/O thread. Threads: that one.
class Stream final {
public:
    // Bytes that must move within one time limit: fewer, and the peer counts as stalled.
    static constexpr std::uint64_t kProgressBytes = 64 * kKiB;

    Stream(Socket socket, IoThread& thread);
    ~Stream();
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    // What has come, at least one byte. 0: the peer sends no more. timed_out: the deadline passed.
    // cancelled: cancel() was called, or the server stops and cuts what is left.
    Task<Result<std::size_t>> read_some(MutableBytes into);

    // All of it, gathered without copying. The deadline is set anew whenever kProgressBytes have
    // been taken by the peer. After an error the stream is useless.
    Task<Status> write(std::span<const Bytes> pieces, std::chrono::nanoseconds limit);

    // The deadline of reads from now on: checked a few times a second, never early.
    void expires_after(std::chrono::nanoseconds limit);
    void expires_never();

    // Ends a read that waits; harmless when none does.
    void cancel();
    // The peer has ended its side, whether or not all it sent before has been read.
    bool hung_up();
    // No more in either direction. What the kernel has not yet sent, it still sends.
    void close();
    // Tells the peer that no more will come, but goes on reading.
    void shutdown_send();

    // True while nothing would be lost by closing: between two requests. A server that stops closes
    // idle streams at once, and lets the others finish what they do.
    void set_idle(bool idle);
    bool stopping() const;

    const std::string& remote_ip() const { return remote_ip_; }
    IoExecutor executor() { return socket_.get_executor(); }

private:
    friend class IoThread;
    void cut();
    Status failure(const boost::system::error_code& error, std::string_view what) const;

    Socket socket_;
    IoThread& thread_;
    std::list<Stream*>::iterator place_;  // among its thread's streams
    std::string remote_ip_;
    std::chrono::nanoseconds deadline_;
    bool expired_ = false;
    bool idle_ = false;
    std::chrono::nanoseconds idle_since_{0};
    bool cut_ = false;
};

}  // namespace objstore
