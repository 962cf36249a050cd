#pragma once

#include "objstore/base/guarded.h"
#include "objstore/disk/disk.h"

namespace objstore {

// A file descriptor that closes itself.
class FileDescriptor final {
public:
    explicit FileDescriptor(int fd = -1) : fd_(fd) {}
    ~FileDescriptor();
    FileDescriptor(FileDescriptor&& other) noexcept;
    FileDescriptor& operator=(FileDescriptor&& other) noexcept;

    int get() const { return fd_; }
    bool valid() const { return fd_ >= 0; }

private:
    int fd_;
};

// A directory of this machine. Follows no symbolic link at the end of a path, and takes only paths
// that stay within it. Must outlive no one: open files stand on their own.
// Threads: any.
class LocalDisk final : public Disk {
public:
    // Opens the directory, which may be reached through symbolic links. Made with its parents when
    // absent; the names of all that were made are durable then.
    static Result<std::unique_ptr<LocalDisk>> open(std::string path);

    // Keeps other servers out until this is destroyed: an exclusive lock on the directory, and on
    // the file kLockFile in it, with this process's id. unavailable: another one has it.
    Status lock();
    static constexpr const char* kLockFile = "ashlar.lock";

    const std::string& name() const override { return path_; }
    Result<std::unique_ptr<File>> open(std::string_view path, OpenMode mode) override;
    Status make_dir(std::string_view path) override;
    Status sync_dir(std::string_view path) override;
    Status rename(std::string_view from, std::string_view to) override;
    Status remove(std::string_view path) override;
    Result<std::vector<std::string>> list(std::string_view path) override;
    Result<DiskSpace> space() override;

private:
    LocalDisk(std::string path, FileDescriptor directory);

    Result<FileDescriptor> open_directory(std::string_view path) const;
    std::string label(std::string_view path) const;

    const std::string path_;
    const FileDescriptor directory_;
    Guarded<FileDescriptor> lock_;
};

}  // namespace objstore
