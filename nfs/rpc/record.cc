#include "nfs/rpc/record.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "nfs/xdr/endian.h"

namespace nfs {

using objstore::MutableBytes;
using objstore::Result;
using objstore::Status;

namespace {

constexpr std::size_t kMarkerBytes = 4;
constexpr std::size_t kSpaceBytesMin = 4096;  // less is not worth a system call

}  // namespace

RecordWindow::RecordWindow(BlockPool& pool, std::size_t record_bytes_max)
    : pool_(pool), record_bytes_max_(record_bytes_max) {
    ASSERT(record_bytes_max_ + kMarkerBytes + kSpaceBytesMin <= pool_.large_bytes());
}

MutableBytes RecordWindow::space() {
    make_room();
    return block_->span().subspan(filled_);
}

// How much more there should be room for: the rest of the fragment, or the next marker.
std::size_t RecordWindow::wanted_bytes() const {
    const std::size_t unread = unread_bytes();
    const std::size_t missing = std::max(fragment_left_, unread + kMarkerBytes) - unread;
    return std::max(missing, kSpaceBytesMin);
}

bool RecordWindow::has_room(std::size_t wanted) const {
    return block_ && block_->size() - filled_ >= wanted;
}

// A record that only a large block can hold, and of which no more has come than a small one can.
bool RecordWindow::grows() const {
    const std::size_t kept = size_ + unread_bytes();
    return kept + wanted_bytes() > pool_.small_bytes() &&
           kept + kSpaceBytesMin <= pool_.small_bytes();
}

bool RecordWindow::wants_large() const {
    if (!mid_record() || is_large() || grows() || has_room(wanted_bytes())) return false;
    return size_ + unread_bytes() + wanted_bytes() > pool_.small_bytes();
}

std::size_t RecordWindow::large_bytes() const {
    return is_large() ? block_->size() : 0;
}

// What must stay is the record so far and the bytes behind it. They stay where they are when what
// is still to come of the fragment fits behind them; else they go to the start of a block.
void RecordWindow::make_room() {
    // The other holders of the block are workers that read the records before this one.
    const bool ours_alone = block_ && block_.use_count() == 1;
    if (ours_alone && !mid_record()) filled_ = read_at_ = begin_ = 0;
    const bool growing = grows() && !(is_large() && ours_alone);
    const std::size_t wanted = growing ? kSpaceBytesMin : wanted_bytes();
    if (has_room(wanted)) return;
    if (size_ == 0) begin_ = read_at_;
    const std::size_t unread = unread_bytes();
    const std::size_t kept = size_ + unread;
    const std::size_t needed = kept + wanted;
    BlockRef target = ours_alone && block_->size() >= needed ? block_ : pool_.take(needed);
    if (kept > 0) {
        std::byte* to = target->data();
        std::memmove(to, block_->data() + begin_, size_);
        std::memmove(to + size_, block_->data() + read_at_, unread);
    }
    block_ = std::move(target);
    begin_ = 0;
    read_at_ = size_;
    filled_ = kept;
}

void RecordWindow::received(std::size_t size_bytes) {
    ASSERT(block_ && size_bytes <= block_->size() - filled_);
    filled_ += size_bytes;
}

Status RecordWindow::begin_fragment() {
    const std::uint32_t marker = load_u32(block_->data() + read_at_);
    const std::size_t length = marker & ~kLastFragment;
    if (length > record_bytes_max_ - size_) {
        return Status::invalid_argument(
            fmt::format("record of more than {} bytes", record_bytes_max_));
    }
    if (++fragments_ > kFragmentsMax) {
        return Status::invalid_argument(fmt::format("record of over {} fragments", kFragmentsMax));
    }
    read_at_ += kMarkerBytes;
    if (size_ == 0) begin_ = read_at_;
    fragment_left_ = length;
    last_fragment_ = (marker & kLastFragment) != 0;
    in_fragment_ = true;
    return {};
}

// Adds what has arrived of the fragment to the record; true when that is all of it. The bytes move
// only behind the marker of a second or later fragment.
bool RecordWindow::take_fragment() {
    const std::size_t now = std::min(unread_bytes(), fragment_left_);
    if (begin_ + size_ != read_at_ && now > 0) {
        std::memmove(block_->data() + begin_ + size_, block_->data() + read_at_, now);
    }
    size_ += now;
    read_at_ += now;
    fragment_left_ -= now;
    return fragment_left_ == 0;
}

Result<std::optional<Record>> RecordWindow::next() {
    while (true) {
        if (!in_fragment_) {
            if (unread_bytes() < kMarkerBytes) return std::optional<Record>();
            TRY(begin_fragment());
        }
        if (!take_fragment()) return std::optional<Record>();
        in_fragment_ = false;
        if (!last_fragment_) continue;
        Record record{block_->span().subspan(begin_, size_), block_};
        size_ = 0;
        fragments_ = 0;
        return std::optional<Record>(std::move(record));
    }
}

bool RecordWindow::mid_record() const {
    return in_fragment_ || fragments_ > 0 || unread_bytes() > 0;
}

void RecordWindow::release_if_idle() {
    if (mid_record()) return;
    block_.reset();
    filled_ = 0;
    read_at_ = 0;
    begin_ = 0;
}

}  // namespace nfs
