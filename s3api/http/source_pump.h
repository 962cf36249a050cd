#pragma once

#include <chrono>
#include <optional>

#include "objstore/net/run_on.h"
#include "s3api/http/response.h"

namespace s3api {

// Pulls a body source: at once where it can answer from memory, else on a worker, and then one
// batch ahead of what is being written. Threads: the connection's. To be settled before it goes
// away.
class SourcePump final {
public:
    SourcePump(BodySource& source,
               objstore::ThreadPool& workers,
               const objstore::IoExecutor& executor);
    SourcePump(const SourcePump&) = delete;
    SourcePump& operator=(const SourcePump&) = delete;

    // The next pieces, valid until the second next call. Nothing: `limit` has passed, the pieces
    // are still being fetched; ask again. Without a limit it waits as long as it takes.
    using Pieces = objstore::Result<BodySource::Pieces>;
    objstore::Task<std::optional<Pieces>> next(std::optional<std::chrono::milliseconds> limit);
    // Begins to fetch what comes after, if fetching takes a worker.
    void prefetch();
    // Waits for what is being fetched.
    objstore::Task<void> settle();

private:
    struct Job {
        BodySource* source;
        Pieces operator()() const { return source->next(); }
    };
    objstore::Status start();
    objstore::Task<void> wait(std::chrono::milliseconds limit);

    objstore::ThreadPool& workers_;
    objstore::IoExecutor executor_;
    objstore::Event event_;
    Job job_;
    std::optional<objstore::Running<Job>> running_;
    bool blocking_ = false;  // the last batch took a worker
};

}  // namespace s3api
