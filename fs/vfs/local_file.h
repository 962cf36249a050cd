#pragma once

#include <atomic>

#include "fs/vfs/local_vfs.h"

namespace fs {

// An open file of a LocalVfs, which must outlive it.
class LocalFile final : public OpenFile {
public:
    LocalFile(LocalVfs& vfs, NodeRef node, OpenFlags flags);
    ~LocalFile() override;

    InodeId inode() const override { return node_->inode; }
    std::uint64_t id() const override { return id_; }
    Result<std::size_t> read(std::uint64_t offset, MutableBytes out) override;
    std::optional<std::size_t> try_read(std::uint64_t offset, MutableBytes out) override;
    Result<WriteResult> write(std::uint64_t offset, Bytes bytes, WriteFlags flags) override;
    Status flush() override;
    Status sync() override;

    bool writable() const { return flags_.write; }

private:
    Status failures_since();

    LocalVfs& vfs_;
    const NodeRef node_;
    const OpenFlags flags_;
    const std::uint64_t id_;
    std::atomic<std::uint64_t> failures_seen_;
};

}  // namespace fs
