#include "s3api/server.h"

#include <utility>

#include <spdlog/logger.h>

#include "objstore/base/executor.h"
#include "objstore/net/server.h"
#include "s3api/http/connection.h"
#include "s3api/s3_handler.h"

namespace s3api {

namespace {

objstore::Task<void> serve_client(const ConnectionContext* context, objstore::Stream* stream) {
    Connection connection(*context, *stream);
    co_await connection.run();
}

}  // namespace

// In the order in which they need one another; taken down from the last to the first.
class Server::Parts {
public:
    Parts(const Options& options,
          OpTable operations,
          const CredentialStore& credentials,
          const objstore::Clock& clock,
          std::shared_ptr<spdlog::logger> logger)
        : handler({options.domain, options.region, options.host_id},
                  std::move(operations),
                  credentials,
                  clock,
                  logger),
          workers({.threads = options.worker_threads,
                   .queue_max = options.queue_max,
                   .name = "s3-worker"}),
          streams({.threads = options.stream_threads,
                   .queue_max = options.queue_max,
                   .name = "s3-stream"}),
          long_ops({.threads = options.long_op_threads,
                    .queue_max = options.queue_max,
                    .name = "s3-long"}),
          gate({.count_max = options.intakes_max}, clock),
          context{handler, workers, streams, long_ops, gate, clock, options.limits},
          server(
              {.address = options.address,
               .io_threads = options.io_threads,
               .connections_max = options.connections_max,
               .tick = options.tick},
              [this](objstore::Stream& stream) { return serve_client(&context, &stream); },
              std::move(logger)) {}

    S3Handler handler;
    objstore::ThreadPool workers;
    objstore::ThreadPool streams;
    objstore::ThreadPool long_ops;
    IntakeGate gate;
    const ConnectionContext context;
    objstore::TcpServer server;
};

Server::Server(const Options& options,
               OpTable operations,
               const CredentialStore& credentials,
               const objstore::Clock& clock,
               std::shared_ptr<spdlog::logger> logger)
    : parts_(std::make_unique<Parts>(
          options, std::move(operations), credentials, clock, std::move(logger))) {}

Server::~Server() {
    stop(std::chrono::milliseconds(0));
}

objstore::Result<std::string> Server::start() {
    return parts_->server.start();
}

void Server::set_ready(bool ready) {
    parts_->handler.set_ready(ready);
}

void Server::stop(std::chrono::milliseconds grace) {
    set_ready(false);
    parts_->server.stop(grace);
    parts_->workers.stop();
    parts_->streams.stop();
    parts_->long_ops.stop();
}

}  // namespace s3api
