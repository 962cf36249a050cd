#pragma once

#include <atomic>
#include <optional>
#include <string_view>

#include "objstore/base/clock.h"
#include "objstore/base/executor.h"
#include "objstore/net/event.h"
#include "objstore/net/stream.h"
#include "s3api/http/handler.h"
#include "s3api/http/incoming.h"
#include "s3api/http/intake_gate.h"
#include "s3api/http/limits.h"
#include "s3api/http/outgoing.h"
#include "s3api/http/request.h"
#include "s3api/http/response.h"

namespace s3api {

class BodyPipe;
class MemoryBody;

// What all connections share. All of it must outlive them.
struct ConnectionContext {
    Handler& handler;
    objstore::ThreadPool& workers;   // short ops, and pieces of answers
    objstore::ThreadPool& streams;   // turns of ops with long bodies
    objstore::ThreadPool& long_ops;  // those that take long by themselves
    IntakeGate& gate;                // for long bodies
    const objstore::Clock& clock;
    ConnectionLimits limits;
    mutable std::atomic<std::size_t> starts{0};  // ops begun by Op::start and not answered
};

// One client: one request after the other. Threads: the stream's. `context` and `stream` must
// outlive it.
class Connection final {
public:
    Connection(const ConnectionContext& context, objstore::Stream& stream);
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    // Returns when the client or the server is done.
    objstore::Task<void> run();

private:
    using Answer = S3Result<Response>;

    // The body that a request announces.
    struct Body {
        PayloadPromise payload;
        std::uint64_t size_bytes = 0;  // decoded
        bool length_known = true;      // else it is read whole to learn it
        std::string_view trailer_names;
    };

    void begin_request();
    objstore::Task<void> serve();
    objstore::Task<Answer> decide();
    objstore::Task<Answer> run_op(const Op* op, const Body* body);
    objstore::Task<Answer> receive_and_run(const Op* op, const Body* body, std::size_t bytes_max);
    objstore::Task<Answer> run_long(const Op* op);
    objstore::Task<Answer> run_on_memory(const Op* op, MemoryBody* reader);
    bool may_start(const Op& op, const MemoryBody& body) const;
    objstore::Task<objstore::Result<Answer>> start_op(const Op* op);
    objstore::Task<Answer> run_streaming(const Op* op, const Body* body);
    objstore::Task<S3Status> pass_gate(IntakeGate::Pass* pass);
    struct Feeding;
    objstore::Task<Answer> feed(Feeding* feeding);
    objstore::Task<void> feed_once(Feeding* feeding);
    objstore::Task<S3Status> want_body();
    objstore::Task<void> respond(Answer answer);
    objstore::Task<void> linger();

    S3Result<Body> read_announcement(const Op& op, PayloadPromise payload) const;
    bool may_continue(const Response& response) const;

    const ConnectionContext& context_;
    objstore::Stream& stream_;
    objstore::Event event_;  // of the op that runs, and its pipe
    Incoming incoming_;
    Outgoing outgoing_;
    Request request_;
    bool awaits_continue_ = false;  // the client holds its body back
    bool lost_ = false;             // nothing more can be read
    bool keep_alive_ = true;
};

}  // namespace s3api
