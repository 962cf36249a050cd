#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "objstore/mirror/mirrored_file.h"

namespace objstore {

// A read in the lane of a mirror, which may be late. Threads: any.
class LaneRead final {
public:
    LaneRead(const MirroredFile::Part& part, std::uint64_t offset, std::size_t size_bytes);

    // Waits that long at most. True: it is done, and bytes() and status() say how.
    bool wait(std::chrono::nanoseconds time) const;
    const Status& status() const { return shared_->status; }
    Bytes bytes() const { return Bytes(shared_->bytes).first(shared_->length); }
    const MirroredFile::Part& part() const { return part_; }

private:
    // Shared with the lane, which may be at it when nobody waits any more.
    struct Shared {
        std::mutex mutex;
        std::condition_variable changed;
        bool done = false;
        Status status;
        std::size_t length = 0;
        std::vector<std::byte> bytes;
    };
    MirroredFile::Part part_;
    std::shared_ptr<Shared> shared_;
};

}  // namespace objstore
