#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "objstore/base/bytes.h"
#include "objstore/base/status.h"

namespace s3api {

// Where a long response body comes from. The server pulls: it asks for the next pieces, writes them
// to the socket without copying, and asks again. Threads: one call at a time, from any thread; it
// may be destroyed before its end, when the client goes away.
class BodySource {
public:
    using Pieces = std::span<const objstore::Bytes>;

    virtual ~BodySource() = default;

    // Blocking, on a worker. Empty: the end. 128 KiB to 2 MiB at a time is a good size. The pieces
    // and their list stay valid until the *second* next call, so that one batch can be written
    // while the other is fetched. An error cuts the connection (or, in a Response::chunked before
    // anything was written, becomes the error answer).
    virtual objstore::Result<Pieces> next() = 0;

    // The same, when memory or the page cache can answer without blocking: called on the I/O
    // thread first. Nothing: ask next().
    virtual std::optional<objstore::Result<Pieces>> try_next() { return std::nullopt; }

    // What to send while one next() takes long, every Response::kFillerInterval: such as the spaces
    // that keep a client of CompleteMultipartUpload from giving up. Chunked responses alone. Must
    // be static text.
    virtual std::string_view filler() const { return {}; }
};

// An answer as an op makes it. The server adds Date, Server, Connection, request ids, and
// Content-Length or Transfer-Encoding. For HEAD it sends the headers that GET would and no body.
class Response final {
public:
    static constexpr std::chrono::seconds kFillerInterval{10};

    struct Sized {
        std::unique_ptr<BodySource> source;
        std::uint64_t size_bytes;  // the source yields exactly these, or the connection is cut
    };
    struct Chunked {
        std::unique_ptr<BodySource> source;
    };
    struct Memory {
        objstore::Buffer buffer;
        std::size_t offset;
        std::size_t size_bytes;
    };
    struct LengthOnly {  // HEAD
        std::uint64_t size_bytes;
    };
    using Body = std::variant<std::monostate, std::string, Memory, Sized, Chunked, LengthOnly>;

    Response() = default;
    explicit Response(int status) : status_(status) {}

    static Response xml(std::string body, int status = 200);  // application/xml

    // Adds one header. Names are ours; values may be anybody's: control characters in them become
    // spaces, so none can end the line.
    Response& header(std::string_view name, std::string_view value);
    Response& header(std::string_view name, std::uint64_t value);

    Response& body(std::string text);
    Response& body(objstore::Buffer buffer, std::size_t offset, std::size_t size_bytes);
    Response& body(std::unique_ptr<BodySource> source, std::uint64_t size_bytes);
    Response& chunked(std::unique_ptr<BodySource> source);  // length not known yet
    Response& length_only(std::uint64_t size_bytes);        // HEAD: what GET would send
    Response& status(int status);
    Response& close();  // the connection ends after this answer

    int status() const { return status_; }
    bool closes() const { return close_; }
    std::string_view header_lines() const { return header_lines_; }
    // The value of a header set before, for tests and logs.
    std::optional<std::string_view> find(std::string_view name) const;
    const Body& body() const { return body_; }
    Body& body() { return body_; }
    std::optional<std::uint64_t> size_bytes() const;  // nothing when chunked

private:
    int status_ = 200;
    bool close_ = false;
    std::string header_lines_;  // "Name: value\r\n" ...
    Body body_;
};

}  // namespace s3api
