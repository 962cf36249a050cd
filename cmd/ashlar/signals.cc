#include "cmd/ashlar/signals.h"

#include <cerrno>

#include "objstore/base/assert.h"

namespace cmd {

Signals::Signals() : set_() {
    sigemptyset(&set_);
    sigaddset(&set_, SIGTERM);
    sigaddset(&set_, SIGINT);
    struct sigaction hangup {};
    sigaction(SIGHUP, nullptr, &hangup);
    if (hangup.sa_handler != SIG_IGN) sigaddset(&set_, SIGHUP);
    const int failed = pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    ASSERT(failed == 0);
    // A client that went away is an error of its connection, not of the process.
    struct sigaction ignore {};
    ignore.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &ignore, nullptr);
}

void Signals::wait() const {
    int signal = 0;
    const int failed = sigwait(&set_, &signal);
    ASSERT(failed == 0);
}

}  // namespace cmd
