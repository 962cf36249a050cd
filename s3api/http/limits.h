#pragma once

#include <chrono>
#include <cstdint>

#include "objstore/base/bytes.h"
#include "s3api/http/response.h"

namespace s3api {

// The bounds of one connection.
struct ConnectionLimits {
    std::chrono::milliseconds idle{120'000};  // between two requests
    std::chrono::milliseconds head{30'000};   // for a whole head, from its first byte
    // For each 64 KiB (or the rest) of a body, and of an answer that the client takes.
    std::chrono::milliseconds progress{60'000};
    std::chrono::milliseconds filler = Response::kFillerInterval;
    std::size_t small_body_bytes = 64 * objstore::kKiB;  // read whole before an op runs
    std::size_t pipe_bytes = 512 * objstore::kKiB;       // of a longer one, in memory at a time
    std::size_t starts_max = 1024;           // small changes under way that no thread waits for
    std::chrono::milliseconds gate{30'000};  // that one waits while too many others come in
    // Of a body that nobody wants, what is read to save its connection.
    std::uint64_t drain_bytes = objstore::kMiB;
    // Discarded before a refused client is cut, so that it gets to read its answer.
    std::uint64_t linger_bytes = 16 * objstore::kMiB;
    std::chrono::milliseconds linger{5'000};
};

}  // namespace s3api
