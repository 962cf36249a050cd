#include "objstore/disk/local_disk.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include "objstore/disk/path.h"

namespace objstore {

namespace {

constexpr mode_t kFileMode = 0600;
constexpr mode_t kDirectoryMode = 0700;
constexpr int kDirectoryFlags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

Status failed(std::string_view label, std::string_view call) {
    return Status::from_errno(errno, fmt::format("{}: {}", label, call));
}

off_t file_offset(std::uint64_t offset) {
    ASSERT(offset <= static_cast<std::uint64_t>(std::numeric_limits<off_t>::max()));
    return static_cast<off_t>(offset);
}

// A call that a signal may interrupt before it did anything.
template <typename Call>
auto without_interrupt(const Call& call) {
    auto result = call();
    while (result < 0 && errno == EINTR) result = call();
    return result;
}

// The pieces of a write that are not written yet, as the system wants them.
class PiecesLeft final {
public:
    explicit PiecesLeft(std::span<const Bytes> pieces) {
        pieces_.reserve(pieces.size());
        for (const Bytes piece : pieces) {
            if (piece.empty()) continue;
            auto* base = const_cast<std::byte*>(piece.data());  // only read by pwritev
            pieces_.push_back({base, piece.size()});
        }
    }

    bool empty() const { return first_ == pieces_.size(); }
    const iovec* data() const { return pieces_.data() + first_; }
    int count() const {
        return static_cast<int>(std::min<std::size_t>(pieces_.size() - first_, IOV_MAX));
    }
    void advance(std::size_t bytes) {
        while (bytes > 0) {
            iovec& piece = pieces_[first_];
            if (bytes < piece.iov_len) {
                piece.iov_base = static_cast<std::byte*>(piece.iov_base) + bytes;
                piece.iov_len -= bytes;
                return;
            }
            bytes -= piece.iov_len;
            ++first_;
        }
    }

private:
    std::vector<iovec> pieces_;
    std::size_t first_ = 0;
};

class LocalFile final : public File {
public:
    LocalFile(FileDescriptor fd, std::string label)
        : fd_(std::move(fd)), label_(std::move(label)) {}

    Status read_at(std::uint64_t offset, MutableBytes out) const override;
    Result<std::size_t> read_some_at(std::uint64_t offset, MutableBytes out) const override;
    bool try_read_at(std::uint64_t offset, MutableBytes out) const override;
    Status write_at(std::uint64_t offset, std::span<const Bytes> pieces) override;
    Status sync() override;
    Status allocate(std::uint64_t offset, std::uint64_t length) override;
    Status truncate(std::uint64_t size_bytes) override;
    Status punch_hole(std::uint64_t offset, std::uint64_t length) override;
    Result<std::uint64_t> size() const override;
    void start_write_out(std::uint64_t offset, std::uint64_t length) override;
    void drop_cache(std::uint64_t offset, std::uint64_t length) override;

private:
    const FileDescriptor fd_;
    const std::string label_;
};

Result<std::size_t> LocalFile::read_some_at(std::uint64_t offset, MutableBytes out) const {
    std::size_t done = 0;
    while (done < out.size()) {
        const ssize_t got = without_interrupt([&] {
            return pread(
                fd_.get(), out.data() + done, out.size() - done, file_offset(offset + done));
        });
        if (got < 0) return failed(label_, fmt::format("pread at {}", offset + done));
        if (got == 0) break;
        done += static_cast<std::size_t>(got);
    }
    return done;
}

Status LocalFile::read_at(std::uint64_t offset, MutableBytes out) const {
    TRY_ASSIGN(const std::size_t length, read_some_at(offset, out));
    if (length == out.size()) return {};
    return Status::corruption(fmt::format(
        "{}: ends at {}, wanted {} bytes at {}", label_, offset + length, out.size(), offset));
}

bool LocalFile::try_read_at(std::uint64_t offset, MutableBytes out) const {
    const iovec piece = {out.data(), out.size()};
    const ssize_t got = preadv2(fd_.get(), &piece, 1, file_offset(offset), RWF_NOWAIT);
    return got >= 0 && static_cast<std::size_t>(got) == out.size();
}

Status LocalFile::write_at(std::uint64_t offset, std::span<const Bytes> pieces) {
    PiecesLeft left(pieces);
    while (!left.empty()) {
        const ssize_t wrote = without_interrupt(
            [&] { return pwritev(fd_.get(), left.data(), left.count(), file_offset(offset)); });
        if (wrote < 0) return failed(label_, fmt::format("pwrite at {}", offset));
        if (wrote == 0) return Status::io_error(fmt::format("{}: pwrite wrote nothing", label_));
        left.advance(static_cast<std::size_t>(wrote));
        offset += static_cast<std::uint64_t>(wrote);
    }
    return {};
}

Status LocalFile::sync() {
    // Not repeated on EINTR either: after any failure the kernel may have dropped the bytes.
    return fdatasync(fd_.get()) == 0 ? Status() : failed(label_, "fdatasync");
}

Status LocalFile::allocate(std::uint64_t offset, std::uint64_t length) {
    if (length == 0) return {};
    const int result = without_interrupt([&] {
        return fallocate(fd_.get(), FALLOC_FL_KEEP_SIZE, file_offset(offset), file_offset(length));
    });
    if (result == 0) return {};
    // A file system that can not reserve finds out at the write that it is full.
    if (errno == EOPNOTSUPP) return {};
    return failed(label_, fmt::format("fallocate of {} bytes at {}", length, offset));
}

Status LocalFile::truncate(std::uint64_t size_bytes) {
    const int result =
        without_interrupt([&] { return ftruncate(fd_.get(), file_offset(size_bytes)); });
    return result == 0 ? Status() : failed(label_, fmt::format("ftruncate to {}", size_bytes));
}

Status LocalFile::punch_hole(std::uint64_t offset, std::uint64_t length) {
    if (length == 0) return {};
    const int result = without_interrupt([&] {
        return fallocate(fd_.get(),
                         FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                         file_offset(offset),
                         file_offset(length));
    });
    if (result == 0) return {};
    if (errno == EOPNOTSUPP) {
        return Status::unsupported(fmt::format("{}: the file system has no holes", label_));
    }
    return failed(label_, fmt::format("punching {} bytes at {}", length, offset));
}

Result<std::uint64_t> LocalFile::size() const {
    struct stat info {};
    if (fstat(fd_.get(), &info) != 0) return failed(label_, "fstat");
    return static_cast<std::uint64_t>(info.st_size);
}

void LocalFile::start_write_out(std::uint64_t offset, std::uint64_t length) {
    // Hints: an error that matters comes again at sync.
    (void)sync_file_range(
        fd_.get(), file_offset(offset), file_offset(length), SYNC_FILE_RANGE_WRITE);
}

void LocalFile::drop_cache(std::uint64_t offset, std::uint64_t length) {
    (void)posix_fadvise(fd_.get(), file_offset(offset), file_offset(length), POSIX_FADV_DONTNEED);
}

int open_flags(OpenMode mode) {
    switch (mode) {
        case OpenMode::read:
            return O_RDONLY;
        case OpenMode::write:
            return O_RDWR;
        case OpenMode::create_new:
            return O_RDWR | O_CREAT | O_EXCL;
        case OpenMode::create:
            return O_RDWR | O_CREAT;
    }
    UNREACHABLE();
}

Status sync_directory_at(const std::string& path) {
    const FileDescriptor fd(::open(path.c_str(), kDirectoryFlags));
    if (!fd.valid()) return failed(path, "open");
    if (fsync(fd.get()) == 0) return {};
    // Some file systems, and all that are read-only, have nothing to sync here.
    return errno == EINVAL || errno == EROFS ? Status() : failed(path, "fsync");
}

std::string parent_of(std::string_view path) {
    while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
    const std::size_t slash = path.rfind('/');
    if (slash == std::string_view::npos) return ".";
    return slash == 0 ? "/" : std::string(path.substr(0, slash));
}

// Makes the directory and what is missing above it, each name durable before the next is made.
Status make_directories(const std::string& path) {
    struct stat info {};
    if (stat(path.c_str(), &info) == 0) {
        // A crash may have come after an earlier run made it and before its name was durable. A
        // parent that may not be opened was not made by us.
        const Status synced = sync_directory_at(parent_of(path));
        return synced.code() == Code::permission_denied ? Status() : synced;
    }
    if (errno != ENOENT) return failed(path, "stat");
    TRY(make_directories(parent_of(path)));
    if (mkdir(path.c_str(), kDirectoryMode) != 0 && errno != EEXIST) return failed(path, "mkdir");
    return sync_directory_at(parent_of(path));
}

}  // namespace

FileDescriptor::~FileDescriptor() {
    // What close would report was reported by sync, or is not relied on.
    if (fd_ >= 0) (void)::close(fd_);
}

FileDescriptor::FileDescriptor(FileDescriptor&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)) {}

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
}

LocalDisk::LocalDisk(std::string path, FileDescriptor directory)
    : path_(std::move(path)), directory_(std::move(directory)) {}

Result<std::unique_ptr<LocalDisk>> LocalDisk::open(std::string path) {
    if (path.empty()) return Status::invalid_argument("the path of a disk is empty");
    TRY(make_directories(path));
    FileDescriptor directory(::open(path.c_str(), kDirectoryFlags));
    if (!directory.valid()) return failed(path, "open");
    return std::unique_ptr<LocalDisk>(new LocalDisk(std::move(path), std::move(directory)));
}

std::string LocalDisk::label(std::string_view path) const {
    return path.empty() ? path_ : fmt::format("{}/{}", path_, path);
}

Status LocalDisk::lock() {
    const int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
    FileDescriptor fd(openat(directory_.get(), kLockFile, flags, kFileMode));
    if (!fd.valid()) return failed(label(kLockFile), "open");
    // The directory too: whoever removes the file, taking it for a left-over, lets nobody in.
    const bool directory_locked = flock(directory_.get(), LOCK_EX | LOCK_NB) == 0;
    if (!directory_locked || flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
        const int error = errno;
        if (directory_locked) (void)flock(directory_.get(), LOCK_UN);
        errno = error;
        if (errno != EWOULDBLOCK) return failed(label(kLockFile), "flock");
        std::array<char, 32> text{};
        const ssize_t got = pread(fd.get(), text.data(), text.size(), 0);
        const std::string_view read(text.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
        const std::string_view pid = read.substr(0, read.find_first_not_of("0123456789"));
        const std::string holder = pid.empty() ? "" : fmt::format(" (process {})", pid);
        return Status::unavailable(
            fmt::format("{}: another server{} has this disk open", path_, holder));
    }
    // For people only: the lock is the flock, which ends with the process.
    const std::string pid = fmt::format("{}\n", getpid());
    if (ftruncate(fd.get(), 0) != 0) return failed(label(kLockFile), "ftruncate");
    if (pwrite(fd.get(), pid.data(), pid.size(), 0) < 0) return failed(label(kLockFile), "pwrite");
    lock_.with([&](FileDescriptor& held) { held = std::move(fd); });
    return {};
}

Result<FileDescriptor> LocalDisk::open_directory(std::string_view path) const {
    if (!path.empty()) TRY(check_disk_path(path));
    const std::string relative = path.empty() ? "." : std::string(path);
    FileDescriptor fd(openat(directory_.get(), relative.c_str(), kDirectoryFlags | O_NOFOLLOW));
    if (!fd.valid()) return failed(label(path), "open");
    return fd;
}

Result<std::unique_ptr<File>> LocalDisk::open(std::string_view path, OpenMode mode) {
    TRY(check_disk_path(path));
    const int flags = open_flags(mode) | O_CLOEXEC | O_NOFOLLOW;
    const std::string relative(path);
    FileDescriptor fd(without_interrupt(
        [&] { return openat(directory_.get(), relative.c_str(), flags, kFileMode); }));
    if (!fd.valid()) return failed(label(path), "open");
    struct stat info {};
    if (fstat(fd.get(), &info) != 0) return failed(label(path), "fstat");
    if (!S_ISREG(info.st_mode)) return Status::io_error(label(path) + ": not a regular file");
    return std::unique_ptr<File>(std::make_unique<LocalFile>(std::move(fd), label(path)));
}

Status LocalDisk::make_dir(std::string_view path) {
    TRY(check_disk_path(path));
    const std::string relative(path);
    if (mkdirat(directory_.get(), relative.c_str(), kDirectoryMode) == 0) return {};
    if (errno != EEXIST) return failed(label(path), "mkdir");
    struct stat info {};
    if (fstatat(directory_.get(), relative.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
        return failed(label(path), "stat");
    }
    if (S_ISDIR(info.st_mode)) return {};
    return Status::already_exists(label(path) + ": mkdir: there is a file of that name");
}

Status LocalDisk::sync_dir(std::string_view path) {
    TRY_ASSIGN(const FileDescriptor fd, open_directory(path));
    return fsync(fd.get()) == 0 ? Status() : failed(label(path), "fsync");
}

Status LocalDisk::rename(std::string_view from, std::string_view to) {
    TRY(check_disk_path(from));
    TRY(check_disk_path(to));
    const std::string source(from);
    const std::string target(to);
    if (renameat(directory_.get(), source.c_str(), directory_.get(), target.c_str()) == 0)
        return {};
    const std::string call = fmt::format("rename to {}", to);
    if (errno == ENOTEMPTY) {
        return Status::conflict(fmt::format("{}: {}: not empty", label(from), call),
                                Why::not_empty);
    }
    return failed(label(from), call);
}

Status LocalDisk::remove(std::string_view path) {
    TRY(check_disk_path(path));
    const std::string relative(path);
    if (unlinkat(directory_.get(), relative.c_str(), 0) == 0) return {};
    if (errno != EISDIR && errno != EPERM) return failed(label(path), "unlink");
    if (unlinkat(directory_.get(), relative.c_str(), AT_REMOVEDIR) == 0) return {};
    if (errno == ENOTEMPTY || errno == EEXIST) {
        return Status::conflict(label(path) + ": rmdir: not empty", Why::not_empty);
    }
    return failed(label(path), "rmdir");
}

Result<std::vector<std::string>> LocalDisk::list(std::string_view path) {
    // Its own description: the position of a listing belongs to that.
    TRY_ASSIGN(const FileDescriptor fd, open_directory(path));
    const int copy = fcntl(fd.get(), F_DUPFD_CLOEXEC, 0);  // closedir closes it
    if (copy < 0) return failed(label(path), "dup");
    const std::unique_ptr<DIR, int (*)(DIR*)> stream(fdopendir(copy), closedir);
    if (stream == nullptr) {
        const FileDescriptor closes(copy);
        return failed(label(path), "opendir");
    }
    std::vector<std::string> names;
    while (true) {
        errno = 0;
        const dirent* entry = readdir(stream.get());
        if (entry == nullptr) break;
        std::string found = entry->d_name;
        if (found == "." || found == "..") continue;
        bool is_directory = entry->d_type == DT_DIR;
        if (entry->d_type == DT_UNKNOWN) {
            struct stat info {};
            const int result = fstatat(fd.get(), entry->d_name, &info, AT_SYMLINK_NOFOLLOW);
            is_directory = result == 0 && S_ISDIR(info.st_mode);
        }
        if (is_directory) found += '/';
        names.push_back(std::move(found));
    }
    if (errno != 0) return failed(label(path), "readdir");
    return names;
}

Result<DiskSpace> LocalDisk::space() {
    struct statvfs info {};
    if (fstatvfs(directory_.get(), &info) != 0) return failed(path_, "statvfs");
    return DiskSpace{info.f_blocks * info.f_frsize, info.f_bavail * info.f_frsize};
}

}  // namespace objstore
