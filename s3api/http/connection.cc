#include "s3api/http/connection.h"

#include <algorithm>
#include <utility>

#include "objstore/base/number.h"
#include "objstore/net/run_on.h"
#include "s3api/http/body_pipe.h"
#include "s3api/http/body_readers.h"

namespace s3api {

using namespace std::chrono_literals;
using objstore::MutableBytes;
using objstore::Result;
using objstore::Status;
using objstore::Task;

namespace {

constexpr std::chrono::milliseconds kLookInterval{500};       // whether a client is still there
constexpr std::size_t kFramingBytesMax = 8 * objstore::kKiB;  // of a small aws-chunked body

// An op on its request, as a worker runs it.
struct OpJob {
    const Op* op;
    Request* request;
    S3Result<Response> operator()() const { return op->run(*request); }
};

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
        const auto size = objstore::parse_number<std::uint64_t>(*text);
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
    if (op->takes_long && op->takes_long(request_)) {
        auto answer = co_await run_long(op);
        co_return answer;
    }
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
    if (!small && op->begin) {
        auto answer = co_await run_streaming(op, body);
        co_return answer;
    }
    // Ops that want their bodies whole take little. So does the framing of a sane client.
    const auto op_bytes_max =
        static_cast<std::size_t>(std::min(op->body_bytes_max, Op::kXmlBytesMax));
    std::size_t bytes_max = 2 * op_bytes_max;
    if (small) bytes_max = body->length_known ? small_bytes + kFramingBytesMax : op_bytes_max;
    std::optional<IntakeGate::Pass> pass;
    if (!small) {
        if (incoming_.raw_left_bytes() > bytes_max) co_return S3Status(S3Error::entity_too_large);
        pass.emplace(context_.gate, stream_, event_);
        CO_TRY(co_await pass_gate(&*pass));
        pass->begin_wait(incoming_.raw_left_bytes());
    }
    auto answer = co_await receive_and_run(op, body, bytes_max);
    if (pass && pass->revoked() && !answer.ok()) co_return S3Status(S3Error::slow_down);
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

Task<Connection::Answer> Connection::run_long(const Op* op) {
    MemoryBody nothing(PayloadPromise(), 0, "");
    request_.body = &nothing;
    std::atomic<bool> abandoned{false};
    request_.abandoned = &abandoned;
    OpJob job{op, &request_};
    objstore::Running<OpJob> running(stream_.executor(), event_, job);
    auto started = running.start(context_.long_ops);
    while (started.ok() && !running.done()) {
        co_await event_.wait_for(kLookInterval);
        if (stream_.stopping() || stream_.hung_up()) abandoned.store(true);
    }
    request_.abandoned = nullptr;
    if (!started.ok()) co_return std::move(started);
    co_return flatten(running.take(), nothing);
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
    if (may_start(*op, *reader)) {
        auto outcome = co_await start_op(op);
        request_.body = nullptr;
        co_return flatten(std::move(outcome), *reader);
    }
    const OpJob job{op, &request_};
    auto outcome = co_await objstore::run_on(context_.workers, job);
    request_.body = nullptr;
    co_return flatten(std::move(outcome), *reader);
}

// With many of them under way the workers take over, whose queue is bounded.
bool Connection::may_start(const Op& op, const MemoryBody& body) const {
    return op.start && body.size_bytes() <= Op::kStartBytesMax &&
           context_.starts.load() < context_.limits.starts_max &&
           !(op.start_blocks && op.start_blocks(request_));
}

Task<Result<Connection::Answer>> Connection::start_op(const Op* op) {
    struct Wait {
        explicit Wait(const objstore::IoExecutor& executor) : answered(executor) {}
        objstore::Event answered;
        std::optional<Answer> answer;
    };
    struct Counted {
        explicit Counted(std::atomic<std::size_t>& all) : count(all) { ++count; }
        ~Counted() { --count; }
        std::atomic<std::size_t>& count;
    };
    const Counted counted(context_.starts);
    const auto wait = std::make_shared<Wait>(stream_.executor());
    const auto answered = [wait](Answer given) {
        wait->answer.emplace(std::move(given));
        wait->answered.set();
    };
    try {
        op->start(request_, answered);
    } catch (const std::bad_alloc&) {
        co_return Status::unavailable("out of memory", objstore::Why::busy);
    } catch (const std::exception& e) {
        co_return Status::io_error(std::string("start: ") + e.what());
    }
    co_await wait->answered.wait();
    co_return std::move(*wait->answer);
}

// A long body on its way through the pipe. The op takes its turns while the connection receives.
struct Connection::Feeding {
    // One turn of the op; gives its answer in the last one.
    struct Turn {
        const Op* op;
        Request* request;
        std::unique_ptr<Intake> intake;
        bool over = false;

        S3Result<std::optional<Response>> operator()() {
            auto outcome = run();
            over = !outcome.ok() || outcome->has_value();
            // Here, for it may wait for disks.
            if (over) intake.reset();
            return outcome;
        }
        S3Result<std::optional<Response>> run() {
            if (intake == nullptr) {
                TRY_ASSIGN(intake, op->begin(*request));
            }
            TRY_ASSIGN(const bool all, intake->take(*request->body));
            if (!all) return std::optional<Response>();
            TRY_ASSIGN(Response response, intake->finish(*request->body));
            return std::optional(std::move(response));
        }
    };

    BodyPipe& pipe;
    IntakeGate::Pass& pass;
    Turn turn;
    std::optional<objstore::Running<Turn>> running = std::nullopt;
    bool begun = false;
    bool over = false;          // the last turn is done
    bool received_all = false;  // or as much as will come
    bool receiving = false;     // now
    bool interrupted = false;   // an error of this receive means nothing
};

Task<Connection::Answer> Connection::run_streaming(const Op* op, const Body* body) {
    IntakeGate::Pass pass(context_.gate, stream_, event_);
    CO_TRY(co_await pass_gate(&pass));
    BodyPipe pipe(context_.limits.pipe_bytes, event_);
    PipeBody reader(pipe, body->payload, body->size_bytes, body->trailer_names);
    request_.body = &reader;
    Feeding feeding{pipe, pass, {op, &request_, nullptr}};
    auto answer = co_await feed(&feeding);
    stream_.expires_never();
    if (!answer.ok() && !reader.failure().ok()) co_return reader.failure();
    co_return answer;
}

Task<S3Status> Connection::pass_gate(IntakeGate::Pass* pass) {
    stream_.expires_never();
    for (auto waited = 0ms; !pass->granted(); waited += kLookInterval) {
        const bool leave = pass->refused() || stream_.stopping() || stream_.hung_up();
        if (leave || waited >= context_.limits.gate) co_return S3Status(S3Error::slow_down);
        co_await event_.wait_for(kLookInterval);
        pass->press();
    }
    stream_.expires_after(context_.limits.progress);
    co_return S3Status();
}

Task<Connection::Answer> Connection::feed(Feeding* feeding) {
    auto& running = feeding->running;
    while (true) {
        if (running && running->done()) {
            auto outcome = running->take();
            running.reset();
            if (!outcome.ok()) co_return std::move(outcome).error();
            if (!outcome->ok()) co_return std::move(*outcome).error();
            if (outcome->value().has_value()) co_return std::move(*outcome->value());
        }
        if (!running && (!feeding->begun || feeding->pipe.worth_reading())) {
            auto on_done = [this, feeding] {
                feeding->over = feeding->turn.over;
                // The client may still be sending what nobody reads any more; or it waits for an
                // answer, and what came while this turn ended is enough to give one.
                const bool enough = feeding->receiving && feeding->pipe.worth_reading();
                if (enough && !feeding->over) feeding->interrupted = true;
                if (enough || feeding->over) stream_.cancel();
            };
            running.emplace(stream_.executor(), event_, feeding->turn, std::move(on_done));
            auto started = running->start(context_.streams);
            if (!started.ok()) running.reset();
            if (!started.ok() && !feeding->begun) co_return std::move(started);
            feeding->begun = true;
        }
        co_await feed_once(feeding);
    }
}

// Receives some of the body, if there is room for it, or waits until something else has happened.
Task<void> Connection::feed_once(Feeding* feeding) {
    BodyPipe& pipe = feeding->pipe;
    const MutableBytes room = feeding->received_all ? MutableBytes() : pipe.room();
    if (room.empty()) {
        // It is the op that is slow, not the client. Not for ever: no thread may have been free.
        stream_.expires_never();
        co_await event_.wait_for(kLookInterval);
        stream_.expires_after(context_.limits.progress);
        co_return;
    }
    feeding->receiving = true;
    feeding->pass.begin_wait();
    auto received = co_await incoming_.receive(room);
    feeding->pass.end_wait(received.ok() ? *received : 0);
    feeding->receiving = false;
    const bool interrupted = std::exchange(feeding->interrupted, false);
    const bool revoked = feeding->pass.revoked();
    if (feeding->over || (interrupted && !received.ok() && !revoked)) co_return;
    lost_ = !received.ok();
    feeding->received_all = !received.ok() || revoked || !incoming_.body_left();
    if (!received.ok() || revoked) {
        pipe.fail(revoked ? S3Status(S3Error::slow_down) : std::move(received).error());
    } else if (feeding->received_all) {
        pipe.finish(*received);
    } else {
        pipe.commit(*received);
    }
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
        failure = sent;
        response = context_.handler.error_response(request_, failure);
        sent = co_await outgoing_.send(&request_, &response, framing);
    }
    if (!sent.ok()) {
        // Cut short, so that nobody takes what came for the whole.
        keep_alive_ = false;
        stream_.close();
        if (failure.ok()) failure = sent;
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
