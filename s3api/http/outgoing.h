#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "objstore/base/clock.h"
#include "objstore/base/executor.h"
#include "objstore/net/stream.h"
#include "s3api/http/limits.h"
#include "s3api/http/request.h"
#include "s3api/http/response.h"

namespace s3api {

class SourcePump;

// What a client gets: heads and bodies of answers, with as few system calls as possible. Threads:
// the stream's.
class Outgoing final {
public:
    struct Framing {
        bool head_only = false;  // the request was HEAD
        bool http_1_0 = false;
        bool keep_alive = true;
    };

    Outgoing(objstore::Stream& stream,
             objstore::ThreadPool& workers,
             const objstore::Clock& clock,
             const ConnectionLimits& limits);
    Outgoing(const Outgoing&) = delete;
    Outgoing& operator=(const Outgoing&) = delete;

    objstore::Task<objstore::Status> send_continue();

    // Sends one answer. After an error: while !begun() nothing has been sent, and another answer
    // may be; else the connection must be cut.
    objstore::Task<objstore::Status> send(const Request* request,
                                          Response* response,
                                          Framing framing);
    bool begun() const { return begun_; }

private:
    void build_head(const Request& request, const Response& response, Framing framing);
    void append_common(const Request& request);
    objstore::Task<objstore::Status> send_sized(Response::Sized* body);
    objstore::Task<objstore::Status> pump_sized(SourcePump* pump, std::uint64_t size_bytes);
    objstore::Task<objstore::Status> send_chunked(Response::Chunked* body, bool framed);
    objstore::Task<objstore::Status> pump_chunked(SourcePump* pump,
                                                  std::string_view filler,
                                                  bool framed);
    objstore::Task<objstore::Status> write(std::span<const objstore::Bytes> pieces);
    void gather(BodySource::Pieces pieces);

    objstore::Stream& stream_;
    objstore::ThreadPool& workers_;
    const objstore::Clock& clock_;
    const ConnectionLimits& limits_;
    bool begun_ = false;
    std::string head_;
    std::string frame_;                    // a chunk's header
    std::vector<objstore::Bytes> pieces_;  // of one write
    objstore::UnixNanos date_second_ = -1;
    std::string date_;
};

}  // namespace s3api
