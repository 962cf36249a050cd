#pragma once

#include <memory>
#include <optional>
#include <string>

#include <doctest/doctest.h>
#include <spdlog/sinks/null_sink.h>

#include "fs/vfs/local_vfs.h"
#include "tests/sim/check_status.h"
#include "tests/sim/sim_clock.h"
#include "tests/store/sim_store.h"

namespace fs {

// A LocalVfs over a simulated store; its clock stands unless a test moves it, so that nothing is
// flushed by time. For tests of this folder.
class VfsFixture {
public:
    explicit VfsFixture(std::uint64_t seed = 1) : store({.seed = seed}), random_(seed + 7) {
        mount.door = Door::fuse;
        mount.checked = true;
        nfs_root.door = Door::nfs;
        alice.door = Door::nfs;
        alice.uid = alice.gid = 1001;
        bob.door = Door::nfs;
        bob.uid = bob.gid = 1002;
        open();
    }
    ~VfsFixture() { close(); }

    void open(LocalVfs::Options options = {}) {
        vfs_ = std::make_unique<LocalVfs>(std::move(options),
                                          LocalVfs::Deps{store.engine(), clock, random_, *log_});
    }
    void close() { vfs_.reset(); }
    // The machine dies and comes back.
    objstore::Status power_cycle() {
        store.world().cut_power();
        vfs_.reset();
        TRY(store.power_cycle());
        open();
        return {};
    }
    Vfs& vfs() { return *vfs_; }
    InodeId bucket() const { return store.bucket(); }

    // A new file that the mount has open.
    std::unique_ptr<OpenFile> create(const std::string& name, std::uint32_t mode = 0644) {
        CreateRequest request;
        request.how = CreateRequest::How::unchecked;
        request.mode = mode;
        request.open = OpenFlags{true, true, false};
        auto created = vfs().create(mount, bucket(), name, request);
        CAPTURE(std::string(created.error().message()));
        REQUIRE(created.ok());
        return std::move(created->file);
    }
    // A new file of NFS.
    InodeId make(const Credentials& who, InodeId directory, const std::string& name) {
        CreateRequest request;
        request.mode = 0644;
        const auto created = vfs().create(who, directory, name, request);
        CAPTURE(std::string(created.error().message()));
        REQUIRE(created.ok());
        return created->change.attributes->inode;
    }
    InodeId mkdir(const Credentials& who, const std::string& name, std::uint32_t mode = 0755) {
        SetAttributes attributes;
        attributes.mode = mode;
        const auto made = vfs().mkdir(who, bucket(), name, attributes);
        CAPTURE(std::string(made.error().message()));
        REQUIRE(made.ok());
        return made->attributes->inode;
    }
    std::string read(OpenFile& file) {
        std::string out(4 * objstore::kMiB, '\0');
        const auto got = file.read(0, std::as_writable_bytes(std::span(out)));
        REQUIRE(got.ok());
        out.resize(*got);
        return out;
    }
    Result<std::string> read(const Credentials& who, InodeId inode) {
        std::string out(objstore::kMiB, '\0');
        TRY_ASSIGN(const ReadResult got,
                   vfs().read(who, inode, 0, std::as_writable_bytes(std::span(out))));
        out.resize(got.size);
        return out;
    }
    // From now on no disk stores anything.
    void fail_writes(tests::SimFailure failure) {
        for (std::size_t i = 0; i < store.world().disk_count(); ++i) {
            store.world().disk(i).fail({.operation = tests::SimOperation::write,
                                        .failure = failure,
                                        .times = tests::SimFault::kAlways});
        }
    }
    void clear_faults() {
        for (std::size_t i = 0; i < store.world().disk_count(); ++i) {
            store.world().disk(i).clear_faults();
        }
    }
    void write(OpenFile& file, std::uint64_t offset, const std::string& bytes) {
        REQUIRE(file.write(offset, objstore::as_bytes(bytes), {}).ok());
    }

    tests::SimStore store;
    tests::SimClock clock;
    Credentials mount, nfs_root, alice, bob;

private:
    tests::SimRandom random_;
    std::shared_ptr<spdlog::logger> log_ =
        std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::null_sink_mt>());
    std::unique_ptr<LocalVfs> vfs_;
};

}  // namespace fs
