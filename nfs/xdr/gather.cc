#include "nfs/xdr/gather.h"

#include <algorithm>
#include <iterator>

namespace nfs {

using objstore::Bytes;
using objstore::MutableBytes;

namespace {

constexpr std::size_t kReserveBytes = 128 * objstore::kKiB;

iovec slot_of(Bytes bytes) {
    return {const_cast<std::byte*>(bytes.data()), bytes.size()};  // sendmsg does not write to it
}

}  // namespace

MutableBytes Gather::extend(std::size_t size_bytes) {
    const std::size_t at = own_.size();
    own_.resize(at + size_bytes);
    size_bytes_ += size_bytes;
    return MutableBytes(own_).subspan(at);
}

void Gather::trim(std::size_t size_bytes) {
    ASSERT(size_bytes <= own_.size() - (lent_.empty() ? 0 : lent_.back().at));
    own_.resize(own_.size() - size_bytes);
    size_bytes_ -= size_bytes;
}

void Gather::shrink() {
    own_.shrink_to_fit();
    lent_.shrink_to_fit();
}

void Gather::lend(Payload payload) {
    if (payload.bytes.empty()) return;
    size_bytes_ += payload.bytes.size();
    lent_.push_back({own_.size(), std::move(payload)});
}

void Gather::append(Gather& other) {
    ASSERT(other.own_sent_ == 0 && other.lent_done_ == 0 && other.lent_sent_bytes_ == 0);
    const std::size_t base = own_.size();
    own_.insert(own_.end(), other.own_.begin(), other.own_.end());
    for (Lent& lent : other.lent_) lent_.push_back({base + lent.at, std::move(lent.payload)});
    size_bytes_ += other.size_bytes_;
    other.reset();
}

void Gather::rollback(const Mark& mark) {
    ASSERT(mark.own_bytes <= own_.size() && mark.payloads <= lent_.size());
    own_.resize(mark.own_bytes);
    lent_.erase(lent_.begin() + static_cast<std::ptrdiff_t>(mark.payloads), lent_.end());
    size_bytes_ = mark.size_bytes;
}

MutableBytes Gather::own_since(const Mark& mark) {
    ASSERT(mark.own_bytes <= own_.size());
    return MutableBytes(own_).subspan(mark.own_bytes);
}

std::size_t Gather::next(std::span<iovec> slots) const {
    std::size_t used = 0;
    std::size_t own_at = own_sent_;
    std::size_t skip_bytes = lent_sent_bytes_;
    const auto add = [&](Bytes bytes) {
        if (!bytes.empty() && used < slots.size()) slots[used++] = slot_of(bytes);
    };
    for (std::size_t i = lent_done_; i < lent_.size() && used < slots.size(); ++i) {
        add(Bytes(own_).subspan(own_at, lent_[i].at - own_at));
        add(lent_[i].payload.bytes.subspan(skip_bytes));
        own_at = lent_[i].at;
        skip_bytes = 0;
    }
    add(Bytes(own_).subspan(own_at));
    return used;
}

void Gather::sent(std::size_t size_bytes) {
    ASSERT(size_bytes <= size_bytes_);
    size_bytes_ -= size_bytes;
    while (size_bytes > 0) {
        const bool lent_left = lent_done_ < lent_.size();
        const std::size_t own_end = lent_left ? lent_[lent_done_].at : own_.size();
        const std::size_t own_now = std::min(size_bytes, own_end - own_sent_);
        own_sent_ += own_now;
        size_bytes -= own_now;
        if (size_bytes == 0 || !lent_left) break;
        Payload& payload = lent_[lent_done_].payload;
        const std::size_t lent_now = std::min(size_bytes, payload.bytes.size() - lent_sent_bytes_);
        lent_sent_bytes_ += lent_now;
        size_bytes -= lent_now;
        if (lent_sent_bytes_ < payload.bytes.size()) break;
        payload = {};  // its memory can serve the next reply already
        lent_sent_bytes_ = 0;
        ++lent_done_;
    }
    if (size_bytes_ == 0) reset();
}

void Gather::reset() {
    own_.clear();
    lent_.clear();
    if (own_.capacity() > kReserveBytes) own_.shrink_to_fit();
    size_bytes_ = 0;
    own_sent_ = 0;
    lent_done_ = 0;
    lent_sent_bytes_ = 0;
}

std::vector<std::byte> Gather::flatten() const {
    std::vector<iovec> slots(2 * lent_.size() + 1);
    slots.resize(next(slots));
    std::vector<std::byte> all;
    all.reserve(size_bytes_);
    for (const iovec& slot : slots) {
        const auto* data = static_cast<const std::byte*>(slot.iov_base);
        all.insert(all.end(), data, data + slot.iov_len);
    }
    return all;
}

}  // namespace nfs
