#pragma once

#include <atomic>
#include <thread>
#include <vector>

#include <spdlog/logger.h>

#include "fs/fuse/session.h"
#include "objstore/base/guarded.h"

namespace fs {

// Threads that read the kernel's requests and answer them: one more whenever none is left to wait
// for the next request, up to `threads`. They end when nothing is mounted any more, or are told to.
//
// Not fuse_session_loop_mt: that ends its threads with pthread_cancel, also amid a message to
// stderr. Stdio's lock then stays taken, and the process hangs where it writes there next.
class RequestLoop final {
public:
    // Begins. The session and the log outlive the loop.
    RequestLoop(fuse_session& session, unsigned threads, spdlog::logger& log);
    ~RequestLoop();  // waits until all threads have ended
    RequestLoop(const RequestLoop&) = delete;
    RequestLoop& operator=(const RequestLoop&) = delete;

    // Each thread ends after its next answer. One that is asleep needs a request for that.
    // (fuse_session_exit would drop that request, and with it who waits for the answer.)
    void end_after_next() { ending_ = true; }

private:
    void add_thread();
    void work();

    fuse_session& session_;
    const unsigned max_threads_;
    spdlog::logger& log_;
    std::atomic<bool> ending_{false};
    std::atomic<unsigned> waiting_{0};
    objstore::Guarded<std::vector<std::thread>> threads_;
};

}  // namespace fs
