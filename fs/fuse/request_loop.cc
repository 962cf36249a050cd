#include "fs/fuse/request_loop.h"

#include <cerrno>
#include <cstdlib>
#include <system_error>

#include <spdlog/spdlog.h>

#include "objstore/base/assert.h"
#include "objstore/base/named_thread.h"

namespace fs {

RequestLoop::RequestLoop(fuse_session& session, unsigned threads, spdlog::logger& log)
    : session_(session), max_threads_(threads), log_(log) {
    ASSERT(threads > 0);
    add_thread();
}

RequestLoop::~RequestLoop() {
    while (true) {
        std::vector<std::thread> ending;
        threads_.with([&](auto& threads) { ending.swap(threads); });
        if (ending.empty()) return;
        for (std::thread& thread : ending) thread.join();
    }
}

void RequestLoop::add_thread() {
    threads_.with([this](auto& threads) {
        if (threads.size() >= max_threads_) return;
        try {
            threads.push_back(objstore::named_thread("fuse", [this] { work(); }));
        } catch (const std::system_error& e) {
            if (threads.empty()) throw;
            log_.warn("event=mount_threads count={} error=\"{}\"", threads.size(), e.what());
        }
    });
}

void RequestLoop::work() {
    fuse_buf request{};
    while (!ending_) {
        ++waiting_;
        const int got = fuse_session_receive_buf(&session_, &request);
        const bool none_waits = --waiting_ == 0;
        if (got == -EINTR) continue;
        if (got <= 0) {
            // The kernel aborts what it was about to hand out when the last user unmounts.
            if (got < 0 && got != -ECONNABORTED) log_.error("event=mount_ended errno={}", -got);
            break;
        }
        if (none_waits) add_thread();
        fuse_session_process_buf(&session_, &request);
    }
    std::free(request.mem);
}

}  // namespace fs
