#include "s3api/http/outgoing.h"

#include <iterator>
#include <utility>
#include <variant>

#include <boost/beast/http/status.hpp>
#include <fmt/format.h>

#include "s3api/base/time.h"
#include "s3api/http/source_pump.h"

namespace s3api {

using objstore::as_bytes;
using objstore::Bytes;
using objstore::Status;
using objstore::Task;

namespace {

std::uint64_t total_bytes(BodySource::Pieces pieces) {
    std::uint64_t total = 0;
    for (const Bytes piece : pieces) total += piece.size();
    return total;
}

// What never has a body, nor speaks of the length of one.
bool bodiless(int status) {
    return status < 200 || status == 204 || status == 304;
}

}  // namespace

Outgoing::Outgoing(objstore::Stream& stream,
                   objstore::ThreadPool& workers,
                   const objstore::Clock& clock,
                   const ConnectionLimits& limits)
    : stream_(stream), workers_(workers), clock_(clock), limits_(limits) {}

Task<Status> Outgoing::send_continue() {
    const Bytes pieces[] = {as_bytes("HTTP/1.1 100 Continue\r\n\r\n")};
    auto sent = co_await stream_.write(pieces, limits_.progress);
    co_return sent;
}

void Outgoing::append_common(const Request& request) {
    const objstore::UnixNanos second = clock_.now() / kNanosPerSecond;
    if (second != date_second_) {
        date_second_ = second;
        date_ = "Server: Ashlar\r\nDate: " + format_http_date(second * kNanosPerSecond) +
                "\r\nx-amz-request-id: ";
    }
    head_ += date_;
    head_ += request.request_id;
    head_ += "\r\nx-amz-id-2: ";
    head_ += request.host_id;
    head_ += "\r\n";
}

void Outgoing::build_head(const Request& request, const Response& response, Framing framing) {
    const auto reason = boost::beast::http::obsolete_reason(
        boost::beast::http::int_to_status(static_cast<unsigned>(response.status())));
    head_.clear();
    fmt::format_to(std::back_inserter(head_),
                   "HTTP/1.1 {} {}\r\n",
                   response.status(),
                   std::string_view(reason.data(), reason.size()));
    append_common(request);
    head_ += response.header_lines();
    const auto size = response.size_bytes();
    if (bodiless(response.status())) {
        // Neither length nor encoding.
    } else if (size) {
        fmt::format_to(std::back_inserter(head_), "Content-Length: {}\r\n", *size);
    } else if (!framing.http_1_0) {
        head_ += "Transfer-Encoding: chunked\r\n";
    }
    if (!framing.keep_alive) {
        head_ += "Connection: close\r\n";
    } else if (framing.http_1_0) {
        head_ += "Connection: keep-alive\r\n";
    }
    head_ += "\r\n";
}

Task<Status> Outgoing::send(const Request* request, Response* response, Framing framing) {
    begun_ = false;
    build_head(*request, *response, framing);
    pieces_.assign(1, as_bytes(head_));
    Response::Body& body = response->body();
    const bool head_only = framing.head_only || bodiless(response->status());
    if (head_only) {
        auto sent = co_await write(pieces_);
        co_return sent;
    }
    if (auto* sized = std::get_if<Response::Sized>(&body)) {
        auto sent = co_await send_sized(sized);
        co_return sent;
    }
    if (auto* chunked = std::get_if<Response::Chunked>(&body)) {
        auto sent = co_await send_chunked(chunked, !framing.http_1_0);
        co_return sent;
    }
    if (const auto* text = std::get_if<std::string>(&body)) pieces_.push_back(as_bytes(*text));
    if (const auto* memory = std::get_if<Response::Memory>(&body)) {
        pieces_.push_back(memory->buffer.span().subspan(memory->offset, memory->size_bytes));
    }
    auto sent = co_await write(pieces_);
    co_return sent;
}

Task<Status> Outgoing::write(std::span<const Bytes> pieces) {
    begun_ = true;
    auto sent = co_await stream_.write(pieces, limits_.progress);
    co_return sent;
}

void Outgoing::gather(BodySource::Pieces pieces) {
    pieces_.clear();
    if (!begun_) pieces_.push_back(as_bytes(head_));
    if (!frame_.empty()) pieces_.push_back(as_bytes(frame_));
    pieces_.insert(pieces_.end(), pieces.begin(), pieces.end());
}

Task<Status> Outgoing::send_sized(Response::Sized* body) {
    SourcePump pump(*body->source, workers_, stream_.executor());
    auto sent = co_await pump_sized(&pump, body->size_bytes);
    co_await pump.settle();
    co_return sent;
}

Task<Status> Outgoing::pump_sized(SourcePump* pump, std::uint64_t size_bytes) {
    frame_.clear();
    std::uint64_t left = size_bytes;
    while (left > 0) {
        auto fetched = co_await pump->next(std::nullopt);
        if (!fetched->ok()) co_return fetched->error();
        const BodySource::Pieces pieces = **fetched;
        const std::uint64_t bytes = total_bytes(pieces);
        if (pieces.empty() || bytes > left) {
            co_return Status::corruption("the body is not as long as its Content-Length says");
        }
        left -= bytes;
        if (left > 0) pump->prefetch();
        gather(pieces);
        CO_TRY(co_await write(pieces_));
    }
    if (!begun_) CO_TRY(co_await write(pieces_));
    co_return Status();
}

Task<Status> Outgoing::send_chunked(Response::Chunked* body, bool framed) {
    SourcePump pump(*body->source, workers_, stream_.executor());
    const std::string_view filler = body->source->filler();
    auto sent = co_await pump_chunked(&pump, filler, framed);
    co_await pump.settle();
    co_return sent;
}

Task<Status> Outgoing::pump_chunked(SourcePump* pump, std::string_view filler, bool framed) {
    std::optional<std::chrono::milliseconds> limit;
    if (!filler.empty()) limit = limits_.filler;
    const Bytes filler_pieces[] = {as_bytes(filler)};
    bool more = true;
    while (more) {
        auto fetched = co_await pump->next(limit);
        if (fetched && !fetched->ok()) co_return fetched->error();
        const BodySource::Pieces pieces = fetched ? **fetched : BodySource::Pieces(filler_pieces);
        const std::uint64_t bytes = total_bytes(pieces);
        more = !pieces.empty();
        if (more && bytes == 0) continue;  // A chunk of no bytes would be the end.
        if (more && fetched) pump->prefetch();
        frame_ = framed ? fmt::format("{:x}\r\n", bytes) : std::string();
        gather(pieces);
        if (framed) pieces_.push_back(as_bytes("\r\n"));
        if (pieces_.empty()) continue;
        CO_TRY(co_await write(pieces_));
    }
    co_return Status();
}

}  // namespace s3api
