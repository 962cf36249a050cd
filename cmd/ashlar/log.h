#pragma once

#include <memory>
#include <string>

#include <spdlog/logger.h>

namespace cmd {

// A logger that writes lines of key=value text, or with `format` "json" one JSON object a line,
// valid whatever the message holds. `level`: debug, info, warn or error.
std::shared_ptr<spdlog::logger> make_logger(const std::string& level,
                                            const std::string& format,
                                            spdlog::sink_ptr sink);

}  // namespace cmd
