#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "objstore/mirror/lane.h"
#include "objstore/mirror/record.h"

namespace objstore {

// Where a copy of the namespace is. Its disk must outlive it.
struct MirrorPlace {
    LabelDisk label;
    Disk* disk = nullptr;
    std::uint64_t incarnation = 0;

    // Of the file that SQLite knows as the database's path with `suffix` ("", "-wal", "-journal").
    std::string path(std::string_view suffix) const {
        return mirror_path(incarnation).append(suffix);
    }
};

// One disk's copy of the namespace while the server runs. Shared by the set and the files that are
// open on it, not by jobs of its lanes, which would end it in its own threads. Threads: any.
class Mirror final {
public:
    enum class State : unsigned char {
        joining,  // is being filled: takes writes, serves nothing
        member,   // has all
        failed,   // is not touched again
    };
    Mirror(MirrorPlace place, State state) : place_(std::move(place)), state_(state) {}

    const MirrorPlace& place() const { return place_; }
    const LabelDisk& label() const { return place_.label; }
    MirrorEntry entry() const { return {place_.label.id, place_.incarnation}; }

    State state() const { return state_.load(std::memory_order_acquire); }
    bool is_member() const { return state() == State::member; }
    bool has_failed() const { return state() == State::failed; }
    void admit() {
        State joining = State::joining;
        state_.compare_exchange_strong(joining, State::member, std::memory_order_acq_rel);
    }
    void fail() { state_.store(State::failed, std::memory_order_release); }

    Lane& writes() { return writes_; }
    Lane& reads() { return reads_; }
    // Since when a read has not returned, in nanoseconds of the steady clock; 0: none is late.
    // Shared with the reads.
    std::atomic<std::int64_t>& late_since() { return *late_since_; }
    std::shared_ptr<std::atomic<std::int64_t>> shared_late_since() { return late_since_; }

private:
    const MirrorPlace place_;
    std::atomic<State> state_;
    const std::shared_ptr<std::atomic<std::int64_t>> late_since_ =
        std::make_shared<std::atomic<std::int64_t>>(0);
    Lane writes_{"mirror-write"};
    Lane reads_{"mirror-read"};
};

using MirrorPtr = std::shared_ptr<Mirror>;

}  // namespace objstore
