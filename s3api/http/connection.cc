#include "s3api/http/connection.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "objstore/net/run_on.h"
#include "s3api/http/body_pipe.h"
#include "s3api/http/body_readers.h"

namespace s3api {

using objstore::MutableBytes;
using objstore::Result;
using objstore::Task;

namespace {

constexpr std::size_t kFramingBytesMax = 8 * objstore::kKiB;  // of a small aws-chunked body

// An op on its request, as a worker runs it.
struct OpJob {
    const Op* op;
    Request* request;
    S3Result<Response> operator()() const { return op->run(*request); }
};

std::optional<std::uint64_t> parse_length(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool good = !text.empty() && error == std::errc() && end == text.data() + text.size();
    return good ? std::optional(value) : std::nullopt;
}

// What the worker gave, or why there was none; what the body has to say comes before that.
S3Result<Response> flatten(Result<S3Result<Response>> outcome, const BodyReader& body) {
    if (!outcome.ok()) return std::move(outcome).error();
    if (!outcome->ok() && !body.failure().ok()) return body.failure();
    return std::move(*outcome);
}

}  // namespace

Connection::Connection(const ConnectionContext& context, objstore::Stream& stream)
    : context_(context),
      stream_(stream),
      event_(stream.executor()),
      incoming_(stream, context.limits),
      outgoing_(stream, context.workers, context.clock, context.limits) {}

Task<void> Connection::run() {
    while (keep_alive_ && !stream_.stopping()) {
        auto head = co_await incoming_.next_head();
        if (head.ok() && !*head) co_return;
        begin_request();
        if (head.ok()) {
            co_await serve();
        } else {
            lost_ = true;
            co_await respond(std::move(head).error());
        }
    }
    co_await linger();
}

void Connection::begin_request() {
    HeadReader& head = incoming_.head();
    request_ = Request();
    request_.method = head.method();
    request_.method_text = head.method_text();
    request_.raw_path = head.raw_path();
    request_.raw_query = head.raw_query();
    request_.headers = head.take_headers();
    request_.remote_ip = stream_.remote_ip();
    context_.handler.identify(request_);
    awaits_continue_ = head.expects_continue();
}

Task<void> Connection::serve() {
    auto answer = co_await decide();
    co_await respond(std::move(answer));
}

Task<Connection::Answer> Connection::decide() {
    CO_TRY_ASSIGN(Plan plan, context_.handler.admit(request_));
    if (plan.op == nullptr) co_return std::move(*plan.ready);
    CO_TRY_ASSIGN(const Body body, read_announcement(*plan.op, std::move(plan.payload)));
    if (plan.op->fast) {
        UnreadBody unread(body.size_bytes);
        request_.body = &unread;
        auto fast = plan.op->fast(request_);
        request_.body = nullptr;
        if (fast) co_return std::move(*fast);
    }
    auto answer = co_await run_op(plan.op, &body);
    request_.body = nullptr;
    co_return answer;
}

S3Result<Connection::Body> Connection::read_announcement(const Op& op,
                                                         PayloadPromise payload) const {
    Body body;
    if (op.body_bytes_max == Op::kNoBody) return body;
    const bool streaming = is_streaming(payload.kind);
    body.payload = std::move(payload);
    const HeadReader& head = incoming_.head();
    const bool announced = head.content_length() || head.chunked();
    if (streaming) {
        const auto text = request_.header("x-amz-decoded-content-length");
        if (!announced || !text) return S3Error::missing_content_length;
        const auto size = parse_length(*text);
        if (!size) {
            return S3Status(S3Error::invalid_argument,
                            "x-amz-decoded-content-length is not a number.");
        }
        body.size_bytes = *size;
        if (body.payload.kind != Payload::streaming_signed) {
            body.trailer_names = request_.header("x-amz-trailer").value_or("");
        }
    } else {
        if (op.length_required && !head.content_length()) return S3Error::missing_content_length;
        body.size_bytes = head.content_length().value_or(0);
        body.length_known = !head.chunked();
    }
    if (body.size_bytes > op.body_bytes_max) {
        return S3Status(S3Error::entity_too_large)
            .with_detail("ProposedSize", std::to_string(body.size_bytes))
            .with_detail("MaxSizeAllowed", std::to_string(op.body_bytes_max));
    }
    return body;
}

Task<Connection::Answer> Connection::run_op(const Op* op, const Body* body) {
    if (op->body_bytes_max == Op::kNoBody) {
        MemoryBody nothing(PayloadPromise(), 0, "");
        auto answer = co_await run_on_memory(op, &nothing);
        co_return answer;
    }
    const std::size_t small_bytes = context_.limits.small_body_bytes;
    const bool small = incoming_.head().chunked()
                           ? body->size_bytes <= small_bytes
                           : incoming_.raw_left_bytes() <= small_bytes + kFramingBytesMax;
    CO_TRY(co_await want_body());
    if (!small) {
        auto answer = co_await run_streaming(op, body);
        co_return answer;
    }
    // A body of unknown length is bounded by what the op takes; all such ops take little.
    const std::size_t bytes_max = body->length_known
                                      ? small_bytes + kFramingBytesMax
                                      : std::min(op->body_bytes_max, Op::kXmlBytesMax);
    auto answer = co_await receive_and_run(op, body, bytes_max);
    co_return answer;
}

Task<Connection::Answer> Connection::receive_and_run(const Op* op,
                                                     const Body* body,
                                                     std::size_t bytes_max) {
    std::optional<MemoryBody> reader;
    Incoming::Inspect inspect;
    if (is_streaming(body->payload.kind)) {
        // Framing that is wrong from the start is refused before the rest has come, if it ever
        // does.
        reader.emplace(body->payload, body->size_bytes, body->trailer_names);
        inspect = [&reader](MutableBytes received) { return reader->look(received); };
    }
    auto raw = co_await incoming_.receive_whole(bytes_max, &inspect);
    if (!raw.ok()) {
        lost_ = true;
        co_return std::move(raw).error();
    }
    if (!reader) reader.emplace(body->payload, raw->size(), body->trailer_names);
    reader->complete(*raw);
    auto answer = co_await run_on_memory(op, &*reader);
    co_return answer;
}

Task<Connection::Answer> Connection::run_on_memory(const Op* op, MemoryBody* reader) {
    request_.body = reader;
    // An op may rightly never read a body of no bytes; what was promised about it must hold still.
    if (reader->size_bytes() == 0) {
        (void)reader->take_in_memory();
        if (S3Status failure = reader->failure(); !failure.ok()) {
            request_.body = nullptr;
            co_return failure;
        }
    }
    const OpJob job{op, &request_};
    auto outcome = co_await objstore::run_on(context_.workers, job);
    request_.body = nullptr;
    co_return flatten(std::move(outcome), *reader);
}

Task<Connection::Answer> Connection::run_streaming(const Op* op, const Body* body) {
    BodyPipe pipe(context_.limits.pipe_bytes, event_);
    PipeBody reader(pipe, body->payload, body->size_bytes, body->trailer_names);
    request_.body = &reader;
    OpJob job{op, &request_};
    bool op_done = false;
    auto on_done = [this, &op_done] {
        op_done = true;
        // The client may still be sending what nobody reads any more.
        stream_.cancel();
    };
    objstore::Running<OpJob> running(stream_.executor(), event_, job, std::move(on_done));
    CO_TRY(running.start(context_.streams));
    S3Status fed = co_await feed(&pipe, &op_done);
    if (!fed.ok()) {
        lost_ = true;
        pipe.fail(std::move(fed));
    }
    while (!running.done()) co_await event_.wait();
    co_return flatten(running.take(), reader);
}

Task<S3Status> Connection::feed(BodyPipe* pipe, const bool* op_done) {
    while (incoming_.body_left() && !*op_done) {
        const MutableBytes room = pipe->room();
        if (room.empty()) {
            // It is the op that is slow, not the client.
            stream_.expires_never();
            co_await event_.wait();
            stream_.expires_after(context_.limits.progress);
            continue;
        }
        auto received = co_await incoming_.receive(room);
        if (*op_done) break;
        if (!received.ok()) co_return std::move(received).error();
        if (incoming_.body_left()) {
            pipe->commit(*received);
        } else {
            pipe->finish(*received);
        }
    }
    stream_.expires_never();
    co_return S3Status();
}

Task<S3Status> Connection::want_body() {
    const bool held_back = std::exchange(awaits_continue_, false);
    // Before a body of no bytes too: botocore takes the next answer on the connection for a part
    // of this one when it asked to be told and was answered at once.
    if (!held_back || incoming_.something_received()) co_return S3Status();
    CO_TRY(co_await outgoing_.send_continue());
    stream_.expires_after(context_.limits.progress);
    co_return S3Status();
}

bool Connection::may_continue(const Response& response) const {
    const HeadReader& head = incoming_.head();
    if (lost_ || response.closes() || stream_.stopping() || !head.keep_alive()) return false;
    // Whether a client that was not told to continue sends its body is not known. See want_body.
    if (awaits_continue_) return false;
    return incoming_.raw_left_bytes() <= context_.limits.drain_bytes;
}

Task<void> Connection::respond(Answer answer) {
    S3Status failure = answer.error();
    Response response =
        answer.ok() ? std::move(*answer) : context_.handler.error_response(request_, failure);
    keep_alive_ = may_continue(response);
    const Outgoing::Framing framing{.head_only = request_.method == Method::head,
                                    .http_1_0 = incoming_.head().http_1_0(),
                                    .keep_alive = keep_alive_};
    auto sent = co_await outgoing_.send(&request_, &response, framing);
    if (!sent.ok() && !outgoing_.begun()) {
        failure = std::move(sent);
        response = context_.handler.error_response(request_, failure);
        sent = co_await outgoing_.send(&request_, &response, framing);
    }
    if (!sent.ok()) {
        // Cut short, so that nobody takes what came for the whole.
        keep_alive_ = false;
        stream_.close();
        if (failure.ok()) failure = std::move(sent);
    }
    context_.handler.finished(request_, response.status(), failure);
    if (keep_alive_ && incoming_.body_left()) {
        stream_.expires_after(context_.limits.progress);
        keep_alive_ = co_await incoming_.drain();
    }
}

// A client that is still sending would not see the answer if the connection closed under it.
Task<void> Connection::linger() {
    stream_.shutdown_send();
    if (!lost_ && !incoming_.body_left()) co_return;
    stream_.expires_after(context_.limits.linger);
    objstore::Buffer waste(64 * objstore::kKiB);
    std::uint64_t drained = 0;
    while (drained < context_.limits.linger_bytes) {
        auto bytes = co_await stream_.read_some(waste.span());
        if (!bytes.ok() || *bytes == 0) co_return;
        drained += *bytes;
    }
}

}  // namespace s3api
