#include "objstore/mirror/mirrored_read.h"

namespace objstore {

LaneRead::LaneRead(const MirroredFile::Part& part, std::uint64_t offset, std::size_t size_bytes)
    : part_(part), shared_(std::make_shared<Shared>()) {
    shared_->bytes.resize(size_bytes);
    part.mirror->reads().post([offset,
                               shared = shared_,
                               file = part.file,
                               late_since = part.mirror->shared_late_since()] {
        auto length = file->read_some_at(offset, shared->bytes);
        *late_since = 0;
        const std::lock_guard lock(shared->mutex);
        if (length.ok()) shared->length = *length;
        shared->status = std::move(length).error();
        shared->done = true;
        shared->changed.notify_all();
    });
}

bool LaneRead::wait(std::chrono::nanoseconds time) const {
    std::unique_lock lock(shared_->mutex);
    return shared_->changed.wait_for(lock, time, [&] { return shared_->done; });
}

}  // namespace objstore
