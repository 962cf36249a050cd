#pragma once

#include <csignal>

namespace cmd {

// Blocks SIGTERM and SIGINT in this thread and all it starts from now on, and SIGPIPE, so that
// `wait` gets them. To be made before any thread.
class Signals final {
public:
    Signals();
    // Returns when one of them comes.
    void wait() const;

private:
    sigset_t set_;
};

}  // namespace cmd
