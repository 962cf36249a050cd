#include "tests/sim/sim_file.h"

#include <algorithm>

#include <fmt/format.h>

namespace tests {

using objstore::Bytes;
using objstore::MutableBytes;
using objstore::Result;
using objstore::Status;

SimFile::SimFile(SimDisk& disk, std::string path, std::shared_ptr<SimInode> inode)
    : disk_(disk),
      path_(std::move(path)),
      inode_(std::move(inode)),
      generation_(disk.generation_) {}

Status SimFile::check_usable() const {
    TRY(disk_.check_power(path_));
    if (generation_ == disk_.generation_) return {};
    return Status::io_error(disk_.label(path_) + ": was opened before power was cut");
}

SimDisk::Verdict SimFile::begin(SimOperation operation) const {
    if (Status usable = check_usable(); !usable.ok()) return {std::move(usable), false};
    return disk_.begin(operation, path_);
}

Result<std::size_t> SimFile::read_some_at(std::uint64_t offset, MutableBytes out) const {
    const std::lock_guard lock(disk_.world_.mutex_);
    const auto verdict = begin(SimOperation::read);
    TRY(verdict.status);
    const auto& bytes = inode_->contents.now();
    if (offset >= bytes.size()) return std::size_t{0};
    const std::size_t length = std::min<std::size_t>(out.size(), bytes.size() - offset);
    if (inode_->contents.is_lost(offset, length)) {
        return Status::io_error(
            fmt::format("{}: lost sector, read at {}", disk_.label(path_), offset));
    }
    std::copy_n(bytes.data() + offset, length, out.data());
    return length;
}

Status SimFile::read_at(std::uint64_t offset, MutableBytes out) const {
    TRY_ASSIGN(const std::size_t length, read_some_at(offset, out));
    if (length == out.size()) return {};
    return Status::corruption(fmt::format("{}: ends at {}, wanted {} bytes at {}",
                                          disk_.label(path_),
                                          offset + length,
                                          out.size(),
                                          offset));
}

bool SimFile::try_read_at(std::uint64_t offset, MutableBytes out) const {
    const auto length = read_some_at(offset, out);
    return length.has_value() && *length == out.size();
}

Status SimFile::write_at(std::uint64_t offset, std::span<const Bytes> pieces) {
    std::vector<std::byte> bytes;
    for (const Bytes piece : pieces) bytes.insert(bytes.end(), piece.begin(), piece.end());
    const std::lock_guard lock(disk_.world_.mutex_);
    auto verdict = begin(SimOperation::write);
    auto& contents = inode_->contents;
    const std::uint64_t size_before = contents.now().size();
    if (verdict.status.ok() && verdict.apply) {
        TRY(disk_.check_room(size_before, std::max(size_before, offset + bytes.size())));
    }
    if (!verdict.status.ok() && verdict.failure == SimFailure::short_write && !bytes.empty()) {
        bytes.resize(disk_.world_.random_.below(bytes.size()));
    }
    if (verdict.apply) {
        contents.write(offset, bytes);
        disk_.bytes_written_ += bytes.size();
    }
    return std::move(verdict.status);
}

Status SimFile::sync() {
    const std::lock_guard lock(disk_.world_.mutex_);
    auto verdict = begin(SimOperation::sync);
    if (verdict.status.ok() && verdict.apply) inode_->contents.sync();
    const bool has_power = disk_.world_.powered_ && generation_ == disk_.generation_;
    if (!verdict.status.ok() && has_power) inode_->contents.fail_sync(disk_.world_.random_);
    return std::move(verdict.status);
}

Status SimFile::allocate(std::uint64_t offset, std::uint64_t length) {
    const std::lock_guard lock(disk_.world_.mutex_);
    auto verdict = begin(SimOperation::allocate);
    TRY(verdict.status);
    const std::uint64_t size_before = inode_->contents.now().size();
    return disk_.check_room(size_before, std::max(size_before, offset + length));
}

Status SimFile::truncate(std::uint64_t size_bytes) {
    const std::lock_guard lock(disk_.world_.mutex_);
    auto verdict = begin(SimOperation::truncate);
    if (verdict.apply) inode_->contents.truncate(size_bytes);
    return std::move(verdict.status);
}

Status SimFile::punch_hole(std::uint64_t offset, std::uint64_t length) {
    const std::lock_guard lock(disk_.world_.mutex_);
    auto verdict = begin(SimOperation::punch);
    if (verdict.apply) inode_->contents.zero(offset, length);
    return std::move(verdict.status);
}

Result<std::uint64_t> SimFile::size() const {
    const std::lock_guard lock(disk_.world_.mutex_);
    TRY(check_usable());
    return std::uint64_t{inode_->contents.now().size()};
}

void SimFile::start_write_out(std::uint64_t /*offset*/, std::uint64_t /*length*/) {}

void SimFile::drop_cache(std::uint64_t /*offset*/, std::uint64_t /*length*/) {}

}  // namespace tests
