#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fs/vfs/locks.h"
#include "fs/vfs/types.h"

namespace fs {

// A file that a mount has open. It keeps the inode's content alive after the last name went, and is
// told of failed flushes: each failure is reported once, by the next `flush` or `sync` of every
// file open at that time. Threads: any. Destroying it is the last close: what is left unflushed is
// flushed in the background, locks taken through it go. The Vfs must outlive it.
class OpenFile {
public:
    virtual ~OpenFile() = default;

    virtual InodeId inode() const = 0;
    virtual std::uint64_t id() const = 0;  // for Lock::handle
    // At most out.size() bytes, short only at the end of the file.
    virtual Result<std::size_t> read(std::uint64_t offset, MutableBytes out) = 0;
    // From memory and page cache, or nothing.
    virtual std::optional<std::size_t> try_read(std::uint64_t offset, MutableBytes out) = 0;

    struct WriteFlags {
        bool append = false;       // at the true end, wherever `offset` is
        bool sync = false;         // O_SYNC: durable on return
        bool clear_setid = false;  // the writer may not keep setuid and setgid
    };
    virtual Result<WriteResult> write(std::uint64_t offset, Bytes bytes, WriteFlags flags) = 0;
    // close(2): what was written to the inode is durable on return.
    virtual Status flush() = 0;
    // fsync(2): likewise, and every namespace call acknowledged so far.
    virtual Status sync() = 0;
};

// Also the file that `create` opened, when asked to.
struct Created {
    NameChange change;
    bool existed = false;
    std::unique_ptr<OpenFile> file;
};

// The POSIX machine, used by FUSE and NFS alike (a remote client is another implementation).
// Names are given without '/' and must be paths' components: "", ".", "..", '/' and NUL inside are
// invalid_argument, above 255 bytes invalid_argument (Why::name_too_long). Every call checks modes
// and owners as POSIX does, unless Credentials::checked. Door fuse: changes of names and attributes
// are visible and in order on return and durable within 1 s or at the next sync; other doors:
// durable on return. Inodes are numbers; one that is gone is not_found (Why::stale).
// Threads: any; calls block, but for `try_` ones, which answer from memory or not at all.
class Vfs {
public:
    virtual ~Vfs() = default;

    // ---- attributes
    virtual Result<Attributes> getattr(InodeId inode) = 0;
    virtual std::optional<Attributes> try_getattr(InodeId inode) = 0;
    // `file`: through which ftruncate came; then its own write permission counts for the size.
    virtual Result<AttributeChange> setattr(const Credentials& who,
                                            InodeId inode,
                                            const SetAttributes& changes,
                                            OpenFile* file = nullptr) = 0;
    // Those of the wanted bits (kMay...) that are granted.
    virtual Result<std::uint32_t> access(const Credentials& who,
                                         InodeId inode,
                                         std::uint32_t wanted) = 0;
    virtual Result<std::string> readlink(const Credentials& who, InodeId inode) = 0;
    virtual Result<SpaceInfo> statfs(InodeId inode) = 0;

    // ---- names. The root's are the buckets: mkdir and rmdir there are CreateBucket and
    // DeleteBucket, for uid 0; anything else there is permission_denied (Why::not_permitted).
    virtual Result<Attributes> lookup(const Credentials& who,
                                      InodeId directory,
                                      std::string_view name) = 0;
    // Nothing: not known without waiting. An error of not_found: known to be absent.
    virtual std::optional<Result<Attributes>> try_lookup(const Credentials& who,
                                                         InodeId directory,
                                                         std::string_view name) = 0;
    // The directory that holds this directory; the root's is itself.
    virtual Result<Attributes> lookup_parent(const Credentials& who, InodeId directory) = 0;
    virtual Result<Created> create(const Credentials& who,
                                   InodeId directory,
                                   std::string_view name,
                                   const CreateRequest& request) = 0;
    // What `attributes` leaves open: the caller's owner and group, mode 0.
    virtual Result<NameChange> mkdir(const Credentials& who,
                                     InodeId directory,
                                     std::string_view name,
                                     const SetAttributes& attributes) = 0;

    struct NodeKind {
        FileType type = FileType::fifo;  // fifo, socket, devices, or a regular file
        std::uint64_t rdev = 0;
    };
    virtual Result<NameChange> mknod(const Credentials& who,
                                     InodeId directory,
                                     std::string_view name,
                                     NodeKind kind,
                                     const SetAttributes& attributes) = 0;

    struct SymlinkAt {
        InodeId directory = 0;
        std::string_view name;
        std::string_view target;
    };
    virtual Result<NameChange> symlink(const Credentials& who,
                                       const SymlinkAt& at,
                                       const SetAttributes& attributes) = 0;
    virtual Result<NameChange> link(const Credentials& who,
                                    InodeId inode,
                                    InodeId directory,
                                    std::string_view name) = 0;
    virtual Result<NameChange> unlink(const Credentials& who,
                                      InodeId directory,
                                      std::string_view name) = 0;
    virtual Result<NameChange> rmdir(const Credentials& who,
                                     InodeId directory,
                                     std::string_view name) = 0;

    struct NameAt {
        InodeId directory = 0;
        std::string_view name;
    };
    virtual Result<NameChange> rename(const Credentials& who,
                                      const NameAt& from,
                                      const NameAt& to,
                                      RenameFlags flags) = 0;
    // Entries after `cookie` (0: from the start), at most `limit`, in cookie order.
    virtual Result<DirectoryPage> read_directory(const Credentials& who,
                                                 InodeId directory,
                                                 std::uint64_t cookie,
                                                 std::size_t limit) = 0;

    // ---- content through open files (mounts)
    virtual Result<std::unique_ptr<OpenFile>> open(const Credentials& who,
                                                   InodeId inode,
                                                   OpenFlags flags) = 0;

    // ---- content by inode (NFS). The owner may always read and write; execution implies reading.
    // Each use keeps a removed file readable for 60 s more.
    virtual Result<ReadResult> read(const Credentials& who,
                                    InodeId inode,
                                    std::uint64_t offset,
                                    MutableBytes out) = 0;
    // Nothing: call `read`.
    virtual std::optional<ReadResult> try_read(const Credentials& who,
                                               InodeId inode,
                                               std::uint64_t offset,
                                               MutableBytes out) = 0;

    struct WriteAt {
        InodeId inode = 0;
        std::uint64_t offset = 0;
        Stability stability = Stability::file_sync;  // wanted
    };
    virtual Result<WriteResult> write(const Credentials& who, WriteAt at, Bytes bytes) = 0;
    // All bytes written to the inode so far become durable (whatever the range).
    virtual Result<AttributeChange> commit(const Credentials& who, InodeId inode) = 0;
    // Differs when unstable bytes may have been lost since: at each start and after a failed flush.
    virtual std::uint64_t write_verifier() const = 0;

    // ---- more on content
    virtual Status allocate(const Credentials& who,
                            InodeId inode,
                            AllocateMode mode,
                            std::pair<std::uint64_t, std::uint64_t> offset_and_length) = 0;
    // Shares stored bytes; no data moves. Returns how many bytes: fewer at the source's end.
    virtual Result<std::uint64_t> copy_range(const Credentials& who, const CopyRange& range) = 0;
    // The next byte of data, or of a hole (the end counts as one), from `offset`.
    // invalid_argument (Why::invalid_range): none (ENXIO).
    virtual Result<std::uint64_t> seek_data(InodeId inode, std::uint64_t offset) = 0;
    virtual Result<std::uint64_t> seek_hole(InodeId inode, std::uint64_t offset) = 0;

    // ---- extended attributes. user.*, trusted.* (uid 0) and security.*; unsupported: others
    enum class XattrMode : std::uint8_t { any, create, replace };
    struct XattrAt {
        InodeId inode = 0;
        std::string_view name;
    };
    virtual Result<std::vector<std::string>> list_xattrs(const Credentials& who, InodeId inode) = 0;
    virtual Result<std::string> get_xattr(const Credentials& who, const XattrAt& at) = 0;
    virtual Status set_xattr(const Credentials& who,
                             const XattrAt& at,
                             std::string_view value,
                             XattrMode mode) = 0;
    virtual Status remove_xattr(const Credentials& who, const XattrAt& at) = 0;

    // ---- locks: one table for all doors
    // The first lock that stands in the way, if any.
    virtual std::optional<Lock> test_lock(const Lock& wanted) = 0;
    // Takes or gives up at once. conflict: somebody holds it. no_space: too many locks.
    virtual Status lock(const Lock& wanted) = 0;
    // Takes it at once (0 is returned, `granted` is not called) or later. `granted` comes from the
    // thread that unlocked.
    virtual Result<LockWait> wait_lock(const Lock& wanted, LockGranted granted) = 0;
    // True: the wait is over and `granted` will not be called.
    virtual bool cancel_lock(LockWait wait) = 0;
    // All locks of an owner on an inode (FLUSH).
    virtual void unlock_owner(InodeId inode, LockOwner owner, LockKind kind) = 0;

    // Every change of names and attributes acknowledged so far becomes durable.
    virtual Status sync_names() = 0;
    // Likewise, and every byte written.
    virtual Status sync() = 0;
};

}  // namespace fs
