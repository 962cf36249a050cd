#include "objstore/volume/shard_file.h"

namespace objstore {

ShardFile::ShardFile(std::unique_ptr<File> file, DiskSet& disks, int disk)
    : file_(std::move(file)), disks_(disks), disk_(disk) {}

Status ShardFile::fail(Status status) {
    if (status.code() != Code::no_space) {
        const std::lock_guard lock(mutex_);
        failed_ = true;
    }
    disks_.report_write_error(disk_, status);
    return status;
}

bool ShardFile::failed() const {
    const std::lock_guard lock(mutex_);
    return failed_;
}

Status ShardFile::write(std::uint64_t offset, std::span<const Bytes> pieces) {
    Status status = file_->write_at(offset, pieces);
    if (!status.ok()) return fail(std::move(status));
    const std::lock_guard lock(mutex_);
    ++writes_;
    return {};
}

Status ShardFile::sync() {
    std::unique_lock lock(mutex_);
    const std::uint64_t wanted = writes_;
    while (true) {
        // Never synced again once that failed: the system may have dropped the very pages it could
        // not write, and the next sync would answer ok.
        if (!sync_failure_.ok()) return sync_failure_;
        if (synced_writes_ >= wanted) return {};
        if (!syncing_) break;
        synced_.wait(lock);
    }
    syncing_ = true;
    const std::uint64_t covered = writes_;
    lock.unlock();
    Status status = file_->sync();
    lock.lock();
    syncing_ = false;
    if (status.ok()) {
        synced_writes_ = covered;
    } else {
        sync_failure_ = status;
    }
    lock.unlock();
    synced_.notify_all();
    return status.ok() ? std::move(status) : fail(std::move(status));
}

Result<std::uint64_t> ShardFile::allocate_to(std::uint64_t from, std::uint64_t to) {
    TRY(disks_.check_room(disk_, to - from));
    const Status status = file_->allocate(from, to - from);
    // A file system that can not reserve will tell by its writes.
    if (!status.ok() && status.code() != Code::unsupported) return status;
    return to;
}

Result<std::uint64_t> ShardFile::allocate(std::uint64_t from,
                                          std::uint64_t to,
                                          std::uint64_t least) {
    ASSERT(from < least && least <= to);
    auto end = allocate_to(from, to);
    if (end.code() == Code::no_space && least < to) end = allocate_to(from, least);
    if (!end.ok()) return fail(std::move(end).error());
    return end;
}

Status ShardFile::truncate(std::uint64_t size_bytes) {
    Status status = file_->truncate(size_bytes);
    if (!status.ok()) return fail(std::move(status));
    const std::lock_guard lock(mutex_);
    ++writes_;
    return {};
}

void ShardFile::start_write_out(std::uint64_t offset, std::uint64_t length) {
    file_->start_write_out(offset, length);
}

void ShardFile::drop_cache(std::uint64_t offset, std::uint64_t length) {
    file_->drop_cache(offset, length);
}

Status write_footer(ShardFile& file,
                    const FooterFields& fields,
                    std::span<const FooterEntry> index) {
    Buffer footer(footer_bytes(index.size()));
    build_footer(fields, index, footer.span());
    const Bytes bytes = footer.span();
    Status status = file.write(fields.length, {&bytes, 1});
    if (!status.ok() && status.code() != Code::no_space) return status;
    TRY(file.truncate(fields.length + (status.ok() ? bytes.size() : 0)));
    TRY(file.sync());
    return status;
}

Result<Superblock> read_superblock(const File& file) {
    std::array<std::byte, kSuperblockBytes> bytes;
    TRY(file.read_at(0, bytes));
    return parse_superblock(bytes);
}

Result<Footer> read_footer(const File& file, std::uint64_t size) {
    std::array<std::byte, sizeof(FooterTrailer)> last;
    if (size < kSuperblockBytes + kBlockBytes) return Status::not_found("no footer");
    TRY(file.read_at(size - last.size(), last));
    const auto trailer = parse_footer_trailer(last);
    if (trailer.code() == Code::unsupported) return trailer.error();
    if (!trailer.ok() || trailer->length + trailer->footer_bytes != size) {
        return Status::not_found("no footer");
    }
    Buffer whole(trailer->footer_bytes);
    TRY(file.read_at(trailer->length, whole.span()));
    auto footer = parse_footer(whole.span());
    if (footer.code() == Code::corruption) return Status::not_found("no good footer");
    return footer;
}

}  // namespace objstore
