#include "fs/vfs/dirty_ranges.h"

#include <algorithm>
#include <new>

namespace fs {

using objstore::Bytes;
using objstore::MutableBytes;

namespace {

// Runs that come to touch become one where the later is no longer than this: it is copied.
constexpr std::size_t kMergeBytesMax = objstore::kMiB;

}  // namespace

void DirtyRanges::Run::append(Bytes bytes) {
    if (size_ + bytes.size() > capacity_) {
        const std::size_t wanted = std::max(size_ + bytes.size(), capacity_ * 2);
        void* moved = std::realloc(data_.get(), wanted);
        if (moved == nullptr) throw std::bad_alloc();
        (void)data_.release();  // realloc has freed or kept it
        data_.reset(static_cast<std::byte*>(moved));
        capacity_ = wanted;
    }
    std::copy(bytes.begin(), bytes.end(), data_.get() + size_);
    size_ += bytes.size();
}

DirtyRanges::Runs::const_iterator DirtyRanges::first_ending_after(std::uint64_t offset) const {
    auto run = runs_.upper_bound(offset);
    if (run == runs_.begin()) return run;
    const auto before = std::prev(run);
    return end_of(*before) > offset ? before : run;
}

DirtyRanges::Runs::iterator DirtyRanges::first_ending_after(std::uint64_t offset) {
    auto run = runs_.upper_bound(offset);
    if (run == runs_.begin()) return run;
    const auto before = std::prev(run);
    return end_of(*before) > offset ? before : run;
}

// Puts bytes where there are none: at the end of the run before, or as a run of their own.
DirtyRanges::Runs::iterator DirtyRanges::extend(std::uint64_t offset, Bytes bytes) {
    auto run = runs_.upper_bound(offset);
    size_bytes_ += bytes.size();
    if (run != runs_.begin() && end_of(*std::prev(run)) == offset) {
        run = std::prev(run);
    } else {
        run = runs_.emplace_hint(run, offset, Run());
    }
    run->second.append(bytes);
    return run;
}

void DirtyRanges::merge_next(Runs::iterator run) {
    const auto next = std::next(run);
    if (next == runs_.end() || next->first != end_of(*run)) return;
    if (next->second.size() > kMergeBytesMax) return;
    run->second.append(next->second.bytes());
    runs_.erase(next);
}

std::size_t DirtyRanges::write(std::uint64_t offset, Bytes bytes) {
    const std::size_t before = size_bytes_;
    while (!bytes.empty()) {
        const auto run = first_ending_after(offset);
        if (run != runs_.end() && run->first <= offset) {
            const std::size_t size = std::min<std::uint64_t>(end_of(*run) - offset, bytes.size());
            std::copy_n(bytes.begin(), size, run->second.data() + (offset - run->first));
            offset += size;
            bytes = bytes.subspan(size);
            continue;
        }
        std::size_t size = bytes.size();
        if (run != runs_.end()) size = std::min<std::uint64_t>(size, run->first - offset);
        merge_next(extend(offset, bytes.first(size)));
        offset += size;
        bytes = bytes.subspan(size);
    }
    return size_bytes_ - before;
}

std::size_t DirtyRanges::forget(Range range) {
    const std::size_t before = size_bytes_;
    auto run = first_ending_after(range.from);
    while (run != runs_.end() && run->first < range.to) {
        const std::uint64_t end = end_of(*run);
        if (end > range.to) {  // What lies behind the range becomes a run of its own.
            Run rest;
            rest.append(run->second.bytes().subspan(range.to - run->first));
            runs_.emplace(range.to, std::move(rest));
        }
        size_bytes_ -= std::min(end, range.to) - std::max(run->first, range.from);
        if (run->first < range.from) {
            run->second.cut(range.from - run->first);
            ++run;
        } else {
            run = runs_.erase(run);
        }
    }
    return before - size_bytes_;
}

std::vector<Range> DirtyRanges::read(Range range, MutableBytes out) const {
    ASSERT(out.size() >= range.to - range.from);
    std::vector<Range> gaps;
    std::uint64_t at = range.from;
    for (auto run = first_ending_after(at); run != runs_.end() && run->first < range.to; ++run) {
        if (run->first > at) gaps.push_back({at, run->first});
        at = std::max(at, run->first);
        const std::uint64_t to = std::min(end_of(*run), range.to);
        std::copy_n(run->second.data() + (at - run->first), to - at, &out[at - range.from]);
        at = to;
    }
    if (at < range.to) gaps.push_back({at, range.to});
    return gaps;
}

std::vector<objstore::WritePiece> DirtyRanges::pieces() const {
    std::vector<objstore::WritePiece> pieces;
    pieces.reserve(runs_.size());
    for (const auto& [offset, run] : runs_) pieces.push_back({offset, run.bytes()});
    return pieces;
}

std::uint64_t DirtyRanges::end() const {
    return runs_.empty() ? 0 : end_of(*runs_.rbegin());
}

std::uint64_t DirtyRanges::next_data(std::uint64_t offset) const {
    const auto run = first_ending_after(offset);
    return run == runs_.end() ? kNone : std::max(offset, run->first);
}

std::uint64_t DirtyRanges::next_gap(std::uint64_t offset) const {
    auto run = first_ending_after(offset);
    while (run != runs_.end() && run->first <= offset) {
        offset = end_of(*run);
        ++run;
    }
    return offset;
}

}  // namespace fs
