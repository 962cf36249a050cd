#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

namespace cmd {

// Gives memory that was used and is free again back to the system, now and then: by itself the C
// library keeps most of it, so that one busy minute would set the size of the process for ever.
class MemoryTrimmer final {
public:
    MemoryTrimmer();
    ~MemoryTrimmer();
    MemoryTrimmer(const MemoryTrimmer&) = delete;
    MemoryTrimmer& operator=(const MemoryTrimmer&) = delete;

private:
    void run();

    std::mutex mutex_;
    std::condition_variable ended_;
    bool ending_ = false;
    std::thread thread_;
};

}  // namespace cmd
