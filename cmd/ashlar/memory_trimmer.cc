#include "cmd/ashlar/memory_trimmer.h"

#include <chrono>

#include <malloc.h>

#include "objstore/base/bytes.h"
#include "objstore/base/named_thread.h"

namespace cmd {

namespace {

constexpr std::chrono::seconds kInterval{5};
// Less is not worth the page faults when it is used again.
constexpr std::size_t kWorthBytes = 16 * objstore::kMiB;

}  // namespace

MemoryTrimmer::MemoryTrimmer() : thread_(objstore::named_thread("trimmer", [this] { run(); })) {}

MemoryTrimmer::~MemoryTrimmer() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    ended_.notify_one();
    thread_.join();
}

// What is free twice in a row is not just on its way to its next use.
void MemoryTrimmer::run() {
    std::unique_lock lock(mutex_);
    for (bool much = false; !ended_.wait_for(lock, kInterval, [this] { return ending_; });) {
        const bool before = much;
        much = ::mallinfo2().fordblks >= kWorthBytes;
        if (!much || !before) continue;
        ::malloc_trim(0);
        much = false;
    }
}

}  // namespace cmd
