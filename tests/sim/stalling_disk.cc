#include "tests/sim/stalling_disk.h"

namespace tests {

using objstore::Bytes;
using objstore::File;
using objstore::MutableBytes;
using objstore::OpenMode;
using objstore::Result;
using objstore::Status;

void StallingDisk::Gate::pass() {
    std::unique_lock lock(mutex);
    ++waiting;
    changed.notify_all();
    changed.wait(lock, [&] { return !closed; });
    --waiting;
}

bool StallingDisk::Gate::is_closed() {
    const std::lock_guard lock(mutex);
    return closed;
}

class StallingFile final : public File {
public:
    StallingFile(std::unique_ptr<File> file, std::shared_ptr<StallingDisk::Gate> gate)
        : file_(std::move(file)), gate_(std::move(gate)) {}

    using File::write_at;
    Status read_at(std::uint64_t offset, MutableBytes out) const override {
        gate_->pass();
        return file_->read_at(offset, out);
    }
    Result<std::size_t> read_some_at(std::uint64_t offset, MutableBytes out) const override {
        gate_->pass();
        return file_->read_some_at(offset, out);
    }
    bool try_read_at(std::uint64_t offset, MutableBytes out) const override {
        return !gate_->is_closed() && file_->try_read_at(offset, out);
    }
    Status write_at(std::uint64_t offset, std::span<const Bytes> pieces) override {
        gate_->pass();
        return file_->write_at(offset, pieces);
    }
    Status sync() override {
        gate_->pass();
        return file_->sync();
    }
    Status allocate(std::uint64_t offset, std::uint64_t length) override {
        gate_->pass();
        return file_->allocate(offset, length);
    }
    Status truncate(std::uint64_t size_bytes) override {
        gate_->pass();
        return file_->truncate(size_bytes);
    }
    Status punch_hole(std::uint64_t offset, std::uint64_t length) override {
        gate_->pass();
        return file_->punch_hole(offset, length);
    }
    Result<std::uint64_t> size() const override { return file_->size(); }
    void start_write_out(std::uint64_t offset, std::uint64_t length) override {
        file_->start_write_out(offset, length);
    }
    void drop_cache(std::uint64_t offset, std::uint64_t length) override {
        file_->drop_cache(offset, length);
    }

private:
    const std::unique_ptr<File> file_;
    const std::shared_ptr<StallingDisk::Gate> gate_;
};

void StallingDisk::stall() {
    const std::lock_guard lock(gate_->mutex);
    gate_->closed = true;
}

void StallingDisk::release() {
    const std::lock_guard lock(gate_->mutex);
    gate_->closed = false;
    gate_->changed.notify_all();
}

void StallingDisk::await_stalled(std::size_t calls) {
    std::unique_lock lock(gate_->mutex);
    gate_->changed.wait(lock, [&] { return gate_->waiting >= calls; });
}

Result<std::unique_ptr<File>> StallingDisk::open(std::string_view path, OpenMode mode) {
    gate_->pass();
    TRY_ASSIGN(auto file, disk_.open(path, mode));
    return std::unique_ptr<File>(std::make_unique<StallingFile>(std::move(file), gate_));
}

Status StallingDisk::make_dir(std::string_view path) {
    gate_->pass();
    return disk_.make_dir(path);
}

Status StallingDisk::sync_dir(std::string_view path) {
    gate_->pass();
    return disk_.sync_dir(path);
}

Status StallingDisk::rename(std::string_view from, std::string_view to) {
    gate_->pass();
    return disk_.rename(from, to);
}

Status StallingDisk::remove(std::string_view path) {
    gate_->pass();
    return disk_.remove(path);
}

Result<std::vector<std::string>> StallingDisk::list(std::string_view path) {
    gate_->pass();
    return disk_.list(path);
}

Result<objstore::DiskSpace> StallingDisk::space() {
    gate_->pass();
    return disk_.space();
}

}  // namespace tests
