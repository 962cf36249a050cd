#pragma once

#include "cmd/ashlar/serve_options.h"

namespace cmd {

// Serves until SIGTERM, SIGINT or SIGHUP. Returns the exit code: 0, 1 (it could not), 2 (wrong
// use); what went wrong is on stderr in one line.
int serve(const ServeOptions& options);

}  // namespace cmd
