#include "objstore/engine/content_writer.h"

#include <algorithm>
#include <cstring>

namespace objstore {

namespace {

constexpr std::size_t kFirstBufferBytes = 16 * kKiB;

}  // namespace

ContentWriter::ContentWriter(
    VolumeStore& volumes, Pins::Pin pin, Owner owner, std::uint64_t size_hint, InodeIs inode_is)
    : volumes_(volumes),
      pin_(std::move(pin)),
      owner_(owner),
      size_hint_(size_hint),
      inode_is_(inode_is) {}

ContentWriter::~ContentWriter() = default;

Result<MutableBytes> ContentWriter::space() {
    if (stream_ == nullptr && (size_ >= kSmallContentBytes || size_hint_ > kSmallContentBytes)) {
        TRY(start_stream());
    }
    if (stream_ != nullptr) return stream_->space();
    if (size_ == small_.size()) grow_small();
    return small_.span().subspan(static_cast<std::size_t>(size_));
}

void ContentWriter::grow_small() {
    const std::size_t wanted =
        small_.empty() ? static_cast<std::size_t>(size_hint_) : small_.size() * 2;
    Buffer bigger(std::clamp(wanted, kFirstBufferBytes, kSmallContentBytes));
    if (size_ != 0) std::memcpy(bigger.data(), small_.data(), static_cast<std::size_t>(size_));
    small_ = std::move(bigger);
}

Status ContentWriter::advance(std::size_t size) {
    if (stream_ != nullptr) {
        TRY(stream_->advance(size));
    } else {
        ASSERT(size_ + size <= small_.size());
    }
    size_ += size;
    return {};
}

Status ContentWriter::write(Bytes bytes) {
    while (!bytes.empty()) {
        TRY_ASSIGN(const MutableBytes room, space());
        const std::size_t count = std::min(room.size(), bytes.size());
        std::memcpy(room.data(), bytes.data(), count);
        TRY(advance(count));
        bytes = bytes.subspan(count);
    }
    return {};
}

Status ContentWriter::start_stream() {
    TRY_ASSIGN(stream_, volumes_.open_stream(owner_, size_hint_));
    if (size_ != 0) TRY(stream_->write(small_bytes()));
    small_ = Buffer();
    return {};
}

Result<std::vector<Extent>> ContentWriter::finish_stream() {
    ASSERT(stream_ != nullptr);
    return stream_->finish();
}

}  // namespace objstore
