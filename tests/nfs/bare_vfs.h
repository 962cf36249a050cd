#pragma once

#include "fs/vfs/vfs.h"

// What NFSv3 does not use of the POSIX machine, for doubles to build on: all of it unsupported.
class BareVfs : public fs::Vfs {
public:
    template <typename T>
    using Result = objstore::Result<T>;
    using Status = objstore::Status;
    using Who = fs::Credentials;
    using InodeId = objstore::InodeId;

    Result<std::unique_ptr<fs::OpenFile>> open(const Who&, InodeId, fs::OpenFlags) override {
        return none();
    }
    Status allocate(const Who&,
                    InodeId,
                    fs::AllocateMode,
                    std::pair<std::uint64_t, std::uint64_t>) override {
        return none();
    }
    Result<std::uint64_t> copy_range(const Who&, const fs::CopyRange&) override { return none(); }
    Result<std::uint64_t> seek_data(InodeId, std::uint64_t) override { return none(); }
    Result<std::uint64_t> seek_hole(InodeId, std::uint64_t) override { return none(); }
    Result<std::vector<std::string>> list_xattrs(const Who&, InodeId) override { return none(); }
    Result<std::string> get_xattr(const Who&, const XattrAt&) override { return none(); }
    Status set_xattr(const Who&, const XattrAt&, std::string_view, XattrMode) override {
        return none();
    }
    Status remove_xattr(const Who&, const XattrAt&) override { return none(); }
    std::optional<fs::Lock> test_lock(const fs::Lock&) override { return std::nullopt; }
    Status lock(const fs::Lock&) override { return none(); }
    Result<fs::LockWait> wait_lock(const fs::Lock&, fs::LockGranted) override { return none(); }
    bool cancel_lock(fs::LockWait) override { return true; }
    void unlock_owner(InodeId, fs::LockOwner, fs::LockKind) override {}
    Status sync_names() override { return {}; }
    Status sync() override { return {}; }

protected:
    static Status none() { return Status::unsupported("not in this double"); }
};
