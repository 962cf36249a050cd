#pragma once

namespace objstore {

// Prints and aborts. Only for what our own bug can break, never for bytes from outside.
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line);

}  // namespace objstore

#define ASSERT(condition) \
    ((condition) ? void(0) : ::objstore::assertion_failed(#condition, __FILE__, __LINE__))
#define UNREACHABLE() ::objstore::assertion_failed("unreachable", __FILE__, __LINE__)
#ifdef NDEBUG
#define DEBUG_ASSERT(condition) void(0)
#else
#define DEBUG_ASSERT(condition) ASSERT(condition)
#endif
