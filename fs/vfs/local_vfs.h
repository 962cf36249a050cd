#pragma once

#include "fs/vfs/keep_alive.h"
#include "fs/vfs/lock_table.h"
#include "fs/vfs/node_table.h"
#include "fs/vfs/vfs.h"
#include "fs/vfs/write_back.h"

namespace fs {

// The POSIX machine over an engine of this process. There must be one of it at most for an engine:
// it alone changes the content of inodes in place. What it is given must outlive it, as it must
// its open files.
class LocalVfs final : public Vfs {
public:
    struct Options {
        WriteBack::Options write_back;
        KeepAlive::Options keep_alive;
        LockTable::Limits locks;
        std::string region;  // of buckets made by mkdir
    };
    struct Deps {
        objstore::Engine& engine;
        const objstore::Clock& clock;
        objstore::Random& random;
        spdlog::logger& log;
    };
    LocalVfs(Options options, Deps deps);
    ~LocalVfs() override;  // stops

    Result<Attributes> getattr(InodeId inode) override;
    std::optional<Attributes> try_getattr(InodeId inode) override;
    Result<AttributeChange> setattr(const Credentials& who,
                                    InodeId inode,
                                    const SetAttributes& changes,
                                    OpenFile* file) override;
    Result<std::uint32_t> access(const Credentials& who,
                                 InodeId inode,
                                 std::uint32_t wanted) override;
    Result<std::string> readlink(const Credentials& who, InodeId inode) override;
    Result<SpaceInfo> statfs(InodeId inode) override;

    Result<Attributes> lookup(const Credentials& who,
                              InodeId directory,
                              std::string_view name) override;
    std::optional<Result<Attributes>> try_lookup(const Credentials& who,
                                                 InodeId directory,
                                                 std::string_view name) override;
    Result<Attributes> lookup_parent(const Credentials& who, InodeId directory) override;
    Result<Created> create(const Credentials& who,
                           InodeId directory,
                           std::string_view name,
                           const CreateRequest& request) override;
    Result<NameChange> mkdir(const Credentials& who,
                             InodeId directory,
                             std::string_view name,
                             const SetAttributes& attributes) override;
    Result<NameChange> mknod(const Credentials& who,
                             InodeId directory,
                             std::string_view name,
                             NodeKind kind,
                             const SetAttributes& attributes) override;
    Result<NameChange> symlink(const Credentials& who,
                               const SymlinkAt& at,
                               const SetAttributes& attributes) override;
    Result<NameChange> link(const Credentials& who,
                            InodeId inode,
                            InodeId directory,
                            std::string_view name) override;
    Result<NameChange> unlink(const Credentials& who,
                              InodeId directory,
                              std::string_view name) override;
    Result<NameChange> rmdir(const Credentials& who,
                             InodeId directory,
                             std::string_view name) override;
    Result<NameChange> rename(const Credentials& who,
                              const NameAt& from,
                              const NameAt& to,
                              RenameFlags flags) override;
    Result<DirectoryPage> read_directory(const Credentials& who,
                                         InodeId directory,
                                         std::uint64_t cookie,
                                         std::size_t limit) override;

    Result<std::unique_ptr<OpenFile>> open(const Credentials& who,
                                           InodeId inode,
                                           OpenFlags flags) override;
    Result<ReadResult> read(const Credentials& who,
                            InodeId inode,
                            std::uint64_t offset,
                            MutableBytes out) override;
    std::optional<ReadResult> try_read(const Credentials& who,
                                       InodeId inode,
                                       std::uint64_t offset,
                                       MutableBytes out) override;
    Result<WriteResult> write(const Credentials& who, WriteAt at, Bytes bytes) override;
    Result<AttributeChange> commit(const Credentials& who, InodeId inode) override;
    std::uint64_t write_verifier() const override { return verifier_ + write_back_.failures(); }
    Status allocate(const Credentials& who,
                    InodeId inode,
                    AllocateMode mode,
                    std::pair<std::uint64_t, std::uint64_t> offset_and_length) override;
    Result<std::uint64_t> copy_range(const Credentials& who, const CopyRange& range) override;
    Result<std::uint64_t> seek_data(InodeId inode, std::uint64_t offset) override;
    Result<std::uint64_t> seek_hole(InodeId inode, std::uint64_t offset) override;

    Result<std::vector<std::string>> list_xattrs(const Credentials& who, InodeId inode) override;
    Result<std::string> get_xattr(const Credentials& who, const XattrAt& at) override;
    Status set_xattr(const Credentials& who,
                     const XattrAt& at,
                     std::string_view value,
                     XattrMode mode) override;
    Status remove_xattr(const Credentials& who, const XattrAt& at) override;

    std::optional<Lock> test_lock(const Lock& wanted) override { return locks_.test(wanted); }
    Status lock(const Lock& wanted) override { return locks_.set(wanted); }
    Result<LockWait> wait_lock(const Lock& wanted, LockGranted granted) override {
        return locks_.wait(wanted, std::move(granted));
    }
    bool cancel_lock(LockWait wait) override { return locks_.cancel(wait); }
    void unlock_owner(InodeId inode, LockOwner owner, LockKind kind) override {
        locks_.release_owner(inode, owner, kind);
    }

    Status sync_names() override { return deps_.engine.sync(); }
    Status sync() override;
    // Flushes everything and lets go of kept files. Safe to repeat.
    Status stop();

private:
    friend class LocalFile;
    using Inode = objstore::Inode;
    using InodePtr = objstore::InodePtr;

    objstore::Namespace& names() { return deps_.engine.names(); }
    Attributes attributes(const Inode& inode);
    NameChange name_change(const objstore::OpResult& result);
    // The directory as it is, after a check of what `who` wants there.
    Result<InodePtr> directory(const Credentials& who, InodeId id, std::uint32_t wanted);
    Result<InodePtr> find(InodeId directory, std::string_view name);
    Result<InodePtr> regular(const Credentials& who, InodeId id, std::uint32_t wanted);
    Result<bool> is_shadowed(const Inode& directory, const objstore::Entry& entry);
    Result<NodeRef> use(const Credentials& who, InodeId id);
    void touch(const Inode& inode);

    Result<Inode> fresh_inode(const Credentials& who, FileType type, const SetAttributes& wish);
    Status keep_setgid(const Credentials& who, InodeId directory, Inode& fresh);
    Status check_path(InodeId directory, std::string_view name);
    Result<objstore::OpResult> add(const Credentials& who,
                                   InodeId directory,
                                   std::string_view name,
                                   Inode inode);
    Result<Created> create_fresh(const Credentials& who,
                                 InodeId directory,
                                 std::string_view name,
                                 const CreateRequest& request);
    Result<Created> create_existing(const Credentials& who,
                                    const InodePtr& inode,
                                    const CreateRequest& request);
    Result<NameChange> make_bucket(const Credentials& who,
                                   std::string_view name,
                                   const SetAttributes& attributes);
    Result<NameChange> remove_bucket(const Credentials& who, std::string_view name);
    Status check_rename(const Credentials& who, const NameAt& from, const NameAt& to);
    Status set_size(const Credentials& who,
                    const Inode& inode,
                    const SetAttributes& changes,
                    OpenFile* file);
    Status clear_setid(const Credentials& who, InodeId inode);
    static Status untold_failure(Node& node);
    Status zero_range(const Credentials& who, const NodeRef& node, Range range);
    Status extend(const Credentials& who, const NodeRef& node, std::uint64_t size);
    Result<std::uint64_t> share_once(const Credentials& who,
                                     const NodeRef& target,
                                     const CopyRange& range);
    Result<std::uint64_t> seek(InodeId inode, std::uint64_t offset, bool data);
    Result<std::string> virtual_xattr(const Inode& inode, std::string_view name);
    Status check_xattr(const Credentials& who, const XattrAt& at, std::uint32_t wanted);

    const Options options_;
    const Deps deps_;
    const std::uint64_t verifier_;
    std::atomic<std::uint64_t> next_file_{1};
    NodeTable nodes_;
    LockTable locks_;
    WriteBack write_back_;
    KeepAlive keep_alive_;
};

// Of a stored record alone.
Attributes attributes_of(const objstore::Inode& inode);
// Mount: visible and in order; others: durable.
objstore::CallOptions call_options(const Credentials& who);

}  // namespace fs
