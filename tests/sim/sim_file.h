#pragma once

#include "tests/sim/sim_disk.h"

namespace tests {

// An open file of a SimDisk.
class SimFile final : public objstore::File {
public:
    SimFile(SimDisk& disk, std::string path, std::shared_ptr<SimInode> inode);

    using objstore::File::write_at;
    objstore::Status read_at(std::uint64_t offset, objstore::MutableBytes out) const override;
    objstore::Result<std::size_t> read_some_at(std::uint64_t offset,
                                               objstore::MutableBytes out) const override;
    bool try_read_at(std::uint64_t offset, objstore::MutableBytes out) const override;
    objstore::Status write_at(std::uint64_t offset,
                              std::span<const objstore::Bytes> pieces) override;
    objstore::Status sync() override;
    objstore::Status allocate(std::uint64_t offset, std::uint64_t length) override;
    objstore::Status truncate(std::uint64_t size_bytes) override;
    objstore::Status punch_hole(std::uint64_t offset, std::uint64_t length) override;
    objstore::Result<std::uint64_t> size() const override;
    void start_write_out(std::uint64_t offset, std::uint64_t length) override;
    void drop_cache(std::uint64_t offset, std::uint64_t length) override;

private:
    objstore::Status check_usable() const;
    SimDisk::Verdict begin(SimOperation operation) const;

    SimDisk& disk_;
    const std::string path_;
    const std::shared_ptr<SimInode> inode_;  // shared: lives on when its name is removed
    const std::uint64_t generation_;
};

}  // namespace tests
