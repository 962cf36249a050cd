#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "objstore/base/status.h"
#include "objstore/disk/disk.h"

namespace objstore {

// One file that is opened when needed and closed when others need its descriptor more. Lives at one
// address as long as the cache.
class FileSlot final {
private:
    friend class FileCache;
    friend class FileRef;
    static constexpr std::uint32_t kOpen = std::uint32_t{1} << 31;  // `file_` is there
    static constexpr std::uint32_t kBusy = std::uint32_t{1} << 30;  // being opened or closed

    std::atomic<std::uint32_t> state_{0};  // the bits above, and how many use it
    std::atomic<bool> recent_{false};      // used since the last look for files to close
    std::unique_ptr<File> file_;           // changed only by who set kBusy
};

// A slot's open file, which stays open while this lives. Empty: it was not open.
class FileRef final {
public:
    FileRef() = default;
    FileRef(FileRef&& other) noexcept : slot_(std::exchange(other.slot_, nullptr)) {}
    FileRef& operator=(FileRef&& other) noexcept {
        std::swap(slot_, other.slot_);
        return *this;
    }
    ~FileRef() {
        if (slot_ != nullptr) slot_->state_.fetch_sub(1, std::memory_order_release);
    }

    explicit operator bool() const { return slot_ != nullptr; }
    File* operator->() const { return slot_->file_.get(); }

private:
    friend class FileCache;
    explicit FileRef(FileSlot* slot) : slot_(slot) {}
    FileSlot* slot_ = nullptr;
};

// Keeps at most so many files open (a few more while threads open some at once); those not used
// lately are closed first. Threads: any. Cost of an open file: two atomic additions.
class FileCache final {
public:
    using Opener = std::function<Result<std::unique_ptr<File>>()>;

    explicit FileCache(std::size_t open_files_max) : open_files_max_(open_files_max) {}

    FileRef try_acquire(FileSlot& slot);
    // Opens the file by `opener` when it is not open. When the process has too many files open,
    // closes some and tries once more.
    Result<FileRef> acquire(FileSlot& slot, const Opener& opener);
    // Closes up to `count` files that nobody uses. False: there were none.
    bool close_some(std::size_t count);
    std::size_t open_count() const;

private:
    bool begin_open(FileSlot& slot);
    std::unique_ptr<File> take_idle(FileSlot& slot);

    const std::size_t open_files_max_;
    mutable std::mutex mutex_;
    std::vector<FileSlot*> open_;  // under mutex_
    std::size_t hand_ = 0;         // under mutex_; where the next look begins
};

}  // namespace objstore
