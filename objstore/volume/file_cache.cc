#include "objstore/volume/file_cache.h"

namespace objstore {

namespace {

constexpr std::size_t kCloseAtOnce = 64;

}  // namespace

FileRef FileCache::try_acquire(FileSlot& slot) {
    // From here on nobody closes it: closing starts from a state without users.
    const std::uint32_t before = slot.state_.fetch_add(1, std::memory_order_acquire);
    FileRef ref(&slot);
    if ((before & FileSlot::kOpen) == 0) return {};
    if (!slot.recent_.load(std::memory_order_relaxed)) {
        slot.recent_.store(true, std::memory_order_relaxed);
    }
    return ref;
}

// True: the caller shall open the file. False: try again.
bool FileCache::begin_open(FileSlot& slot) {
    std::uint32_t state = slot.state_.load(std::memory_order_acquire);
    if ((state & FileSlot::kOpen) != 0) return false;
    if ((state & FileSlot::kBusy) != 0) {
        slot.state_.wait(state, std::memory_order_acquire);
        return false;
    }
    return slot.state_.compare_exchange_strong(
        state, state | FileSlot::kBusy, std::memory_order_acquire);
}

Result<FileRef> FileCache::acquire(FileSlot& slot, const Opener& opener) {
    do {
        if (FileRef ref = try_acquire(slot)) return ref;
    } while (!begin_open(slot));
    if (open_count() >= open_files_max_) close_some(kCloseAtOnce);
    auto file = opener();
    if (file.code() == Code::unavailable && close_some(kCloseAtOnce)) file = opener();
    if (!file.ok()) {
        slot.state_.fetch_and(~FileSlot::kBusy, std::memory_order_release);
        slot.state_.notify_all();
        return std::move(file).error();
    }
    slot.file_ = std::move(file).value();
    slot.recent_ = true;
    {
        const std::lock_guard lock(mutex_);
        open_.push_back(&slot);
    }
    // One user: this call's. kBusy goes, kOpen comes.
    slot.state_.fetch_add(1 + FileSlot::kOpen - FileSlot::kBusy, std::memory_order_release);
    slot.state_.notify_all();
    return FileRef(&slot);
}

std::unique_ptr<File> FileCache::take_idle(FileSlot& slot) {
    if (slot.recent_.exchange(false, std::memory_order_relaxed)) return nullptr;
    std::uint32_t idle = FileSlot::kOpen;
    if (!slot.state_.compare_exchange_strong(idle, FileSlot::kBusy, std::memory_order_acquire)) {
        return nullptr;
    }
    auto file = std::move(slot.file_);
    slot.state_.fetch_and(~FileSlot::kBusy, std::memory_order_release);
    slot.state_.notify_all();
    return file;
}

bool FileCache::close_some(std::size_t count) {
    std::vector<std::unique_ptr<File>> files;  // closed when the lock is free again
    const std::lock_guard lock(mutex_);
    // Two rounds: the first may find that all were used lately.
    std::size_t looks = 2 * open_.size();
    while (looks-- > 0 && files.size() < count && !open_.empty()) {
        if (hand_ >= open_.size()) hand_ = 0;
        auto file = take_idle(*open_[hand_]);
        if (file == nullptr) {
            ++hand_;
            continue;
        }
        files.push_back(std::move(file));
        open_[hand_] = open_.back();
        open_.pop_back();
    }
    return !files.empty();
}

std::size_t FileCache::open_count() const {
    const std::lock_guard lock(mutex_);
    return open_.size();
}

}  // namespace objstore
