#pragma once

#include <memory>
#include <optional>

#include <spdlog/sinks/null_sink.h>

#include "nfs/server.h"
#include "tests/nfs/memory_vfs.h"
#include "tests/nfs/raw_client.h"

// A server over a file system in memory, and a client that has mounted "/b".
struct NfsFixture {
    explicit NfsFixture(const nfs::NfsOptions& nfs_options = {}) {
        nfs::Server::Options options;
        options.nfs = nfs_options;
        options.secret = {1, 2};
        server.emplace(options, vfs, clock, log);
        const auto address = server->start();
        REQUIRE(address.ok());
        port = address->port;
        client = std::make_unique<RawClient>(port);
    }
    ~NfsFixture() { server->stop(std::chrono::seconds(1)); }

    // The handle that a mount of `path` begins with; empty and a status when it is refused.
    std::string mount(const std::string& path, mountstat3 expected = MNT3_OK) const {
        RawClient mounter(port, MOUNT_PROGRAM, MOUNT_V3);
        std::string handle;
        const int rpc = mounter.send(
            [&](rpc_context* context, rpc_cb done, void* data) {
                return rpc_mount3_mnt_async(context, done, const_cast<char*>(path.c_str()), data);
            },
            [&](const void* data) {
                const auto& result = *static_cast<const mountres3*>(data);
                CHECK(result.fhs_status == expected);
                if (result.fhs_status != MNT3_OK) return;
                const auto& bytes = result.mountres3_u.mountinfo.fhandle;
                handle.assign(bytes.fhandle3_val, bytes.fhandle3_len);
            });
        CHECK(rpc == RPC_STATUS_SUCCESS);
        return handle;
    }
    std::string lookup(const std::string& directory, const char* leaf) const {
        std::string found;
        client->call<LOOKUP3res>(
            rpc_nfs3_lookup_async, {name_of(directory, leaf)}, [&](const LOOKUP3res& result) {
                REQUIRE(result.status == NFS3_OK);
                found = bytes_of(result.LOOKUP3res_u.resok.object);
            });
        return found;
    }
    // A new file or what the name has already.
    std::string create(const std::string& directory, const char* leaf, unsigned mode = 0644) const {
        CREATE3args args{};
        args.where = name_of(directory, leaf);
        args.how.mode = UNCHECKED;
        auto& attributes = args.how.createhow3_u.obj_attributes;
        attributes.mode.set_it = 1;
        attributes.mode.set_mode3_u.mode = mode;
        std::string made;
        client->call<CREATE3res>(rpc_nfs3_create_async, args, [&](const CREATE3res& result) {
            REQUIRE(result.status == NFS3_OK);
            REQUIRE(result.CREATE3res_u.resok.obj.handle_follows);
            made = bytes_of(result.CREATE3res_u.resok.obj.post_op_fh3_u.handle);
        });
        return made;
    }
    std::string mkdir(const std::string& directory, const char* leaf) const {
        MKDIR3args args{};
        args.where = name_of(directory, leaf);
        std::string made;
        client->call<MKDIR3res>(rpc_nfs3_mkdir_async, args, [&](const MKDIR3res& result) {
            REQUIRE(result.status == NFS3_OK);
            REQUIRE(result.MKDIR3res_u.resok.obj.handle_follows);
            made = bytes_of(result.MKDIR3res_u.resok.obj.post_op_fh3_u.handle);
        });
        return made;
    }
    // How stable it got.
    stable_how write(const std::string& file,
                     std::uint64_t offset,
                     std::string data,
                     stable_how stable = FILE_SYNC) const {
        WRITE3args args{};
        args.file = handle_of(file);
        args.offset = offset;
        args.count = static_cast<count3>(data.size());
        args.stable = stable;
        args.data.data_len = static_cast<unsigned>(data.size());
        args.data.data_val = data.data();
        stable_how reached = UNSTABLE;
        client->call<WRITE3res>(rpc_nfs3_write_async, args, [&](const WRITE3res& result) {
            REQUIRE(result.status == NFS3_OK);
            CHECK(result.WRITE3res_u.resok.count == data.size());
            reached = result.WRITE3res_u.resok.committed;
        });
        return reached;
    }
    std::string read(const std::string& file, std::uint64_t offset, std::uint32_t count) const {
        std::string data;
        client->call<READ3res>(
            rpc_nfs3_read_async, {handle_of(file), offset, count}, [&](const READ3res& result) {
                REQUIRE(result.status == NFS3_OK);
                const auto& bytes = result.READ3res_u.resok.data;
                CHECK(result.READ3res_u.resok.count == bytes.data_len);
                data.assign(bytes.data_val, bytes.data_len);
            });
        return data;
    }
    fattr3 attributes(const std::string& object) const {
        fattr3 found{};
        client->call<GETATTR3res>(
            rpc_nfs3_getattr_async, {handle_of(object)}, [&](const GETATTR3res& result) {
                REQUIRE(result.status == NFS3_OK);
                found = result.GETATTR3res_u.resok.obj_attributes;
            });
        return found;
    }

    MemoryVfs vfs;
    objstore::SystemClock clock;
    spdlog::logger log{"test", std::make_shared<spdlog::sinks::null_sink_mt>()};
    std::optional<nfs::Server> server;
    std::uint16_t port = 0;
    std::unique_ptr<RawClient> client;
};

// The same, with "/b" mounted.
struct MountedFixture : NfsFixture {
    explicit MountedFixture(const nfs::NfsOptions& options = {}) : NfsFixture(options) {}
    const std::string bucket = mount("/b");
};
