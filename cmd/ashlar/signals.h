#pragma once

#include <csignal>

namespace cmd {

// Blocks SIGTERM, SIGINT and SIGHUP in this thread and all it starts from now on, and ignores
// SIGPIPE, so that `wait` gets them. SIGHUP, which a terminal sends when it goes, ends the server
// as the others do, or its mount would be left dead; where it is ignored already (nohup) it stays
// so. To be made before any thread.
class Signals final {
public:
    Signals();
    // Returns when one of them comes.
    void wait() const;

private:
    sigset_t set_;
};

}  // namespace cmd
