#include <doctest/doctest.h>

#include "tests/nfs/fixture.h"

TEST_CASE_FIXTURE(NfsFixture, "all buckets, a bucket and a directory in it can be mounted") {
    const std::string root = mount("/");
    const std::string bucket = mount("/b");
    CHECK(root != bucket);
    CHECK(attributes(bucket).fileid == attributes(lookup(root, "b")).fileid);
    const std::string directory = mkdir(bucket, "dir");
    create(bucket, "file");
    CHECK(mount("/b/dir") == directory);
    CHECK(mount("//b//dir/") == directory);
    mount("/none", MNT3ERR_NOENT);
    mount("/b/file", MNT3ERR_NOTDIR);
    mount("/b/../b", MNT3ERR_INVAL);
}

TEST_CASE_FIXTURE(NfsFixture, "exports and mounts are listed") {
    mount("/b");
    mount("/");
    RawClient mounter(port, MOUNT_PROGRAM, MOUNT_V3);
    std::vector<std::string> exported;
    CHECK(mounter.send(
              [](auto* rpc, rpc_cb done, void* data) {
                  return rpc_mount3_export_async(rpc, done, data);
              },
              [&](const void* data) {
                  auto* at = *static_cast<const exports*>(data);
                  for (; at; at = at->ex_next) exported.emplace_back(at->ex_dir);
              }) == RPC_STATUS_SUCCESS);
    CHECK(exported == std::vector<std::string>{"/", "/b"});
    const auto mounted = [&] {
        std::vector<std::string> paths;
        mounter.send(
            [](auto* rpc, rpc_cb done, void* data) {
                return rpc_mount3_dump_async(rpc, done, data);
            },
            [&](const void* data) {
                auto* at = *static_cast<const mountlist*>(data);
                for (; at; at = at->ml_next) paths.emplace_back(at->ml_directory);
            });
        return paths;
    };
    CHECK(mounted() == std::vector<std::string>{"/b", "/"});
    std::string path = "/b";
    CHECK(mounter.send([&](auto* rpc, rpc_cb done, void* data) {
        return rpc_mount3_umnt_async(rpc, done, path.data(), data);
    }) == RPC_STATUS_SUCCESS);
    CHECK(mounted() == std::vector<std::string>{"/"});
}

TEST_CASE_FIXTURE(NfsFixture, "version 1 of MOUNT gives a handle of 32 bytes") {
    RawClient mounter(port, MOUNT_PROGRAM, MOUNT_V1);
    std::string path = "/b";
    std::string handle;
    CHECK(mounter.send(
              [&](auto* rpc, rpc_cb done, void* data) {
                  return rpc_mount1_mnt_async(rpc, done, path.data(), data);
              },
              [&](const void* data) {
                  const auto& result = *static_cast<const mountres1*>(data);
                  REQUIRE(result.fhs_status == 0);
                  handle.assign(result.mountres1_u.mountinfo.fhandle, 32);
              }) == RPC_STATUS_SUCCESS);
    CHECK(handle == mount("/b"));
}

TEST_CASE_FIXTURE(NfsFixture, "the way up ends at what was mounted") {
    const std::string root = mount("/");
    const std::string bucket = mount("/b");
    CHECK(lookup(bucket, "..") == bucket);
    CHECK(lookup(root, "..") == root);
    CHECK(lookup(lookup(root, "b"), "..") == root);
    const std::string directory = mkdir(bucket, "dir");
    CHECK(lookup(directory, "..") == bucket);
    CHECK(lookup(directory, ".") == directory);
}

TEST_CASE_FIXTURE(MountedFixture,
                  "a handle that we did not make is bad, one of a former life stale") {
    for (std::size_t i = 0; i < bucket.size(); ++i) {
        std::string changed = bucket;
        changed[i] = static_cast<char>(changed[i] ^ 1);
        CHECK(client->status(rpc_nfs3_getattr_async, {handle_of(changed)}) == NFS3ERR_BADHANDLE);
    }
    for (const std::size_t size : {0UL, 1UL, 31UL, 33UL, 64UL}) {
        const std::string other(size, '\1');
        CHECK(client->status(rpc_nfs3_getattr_async, {handle_of(other)}) == NFS3ERR_BADHANDLE);
        CHECK(client->status(rpc_nfs3_fsinfo_async, {handle_of(other)}) == NFS3ERR_BADHANDLE);
        CHECK(client->status(rpc_nfs3_rmdir_async, {name_of(other, "x")}) == NFS3ERR_BADHANDLE);
        const RENAME3args rename{name_of(bucket, "a"), name_of(other, "b")};
        CHECK(client->status(rpc_nfs3_rename_async, rename) == NFS3ERR_BADHANDLE);
    }
    const nfs::HandleCodec codec({1, 2});
    const auto gone = codec.encode({objstore::kRootInode, 999});
    const std::string bytes(objstore::as_text(gone));
    CHECK(client->status(rpc_nfs3_getattr_async, {handle_of(bytes)}) == NFS3ERR_STALE);
    CHECK(client->status(rpc_nfs3_read_async, {handle_of(bytes), 0, 5}) == NFS3ERR_STALE);
}

TEST_CASE("where the root is not exported, handles from it are not honoured") {
    std::string of_root;
    {
        NfsFixture open;
        of_root = open.lookup(open.mount("/"), "b");
    }
    NfsFixture closed({.export_root = false});
    closed.mount("/", MNT3ERR_ACCES);
    CHECK(closed.client->status(rpc_nfs3_getattr_async, {handle_of(of_root)}) == NFS3ERR_STALE);
    closed.attributes(closed.mount("/b"));
}

TEST_CASE("handles outlive the server, as long as its secret is the same") {
    std::string bucket;
    {
        NfsFixture first;
        bucket = first.mount("/b");
    }
    NfsFixture second;
    CHECK(second.attributes(bucket).fileid == second.attributes(second.mount("/b")).fileid);
}

TEST_CASE("the superuser of a client is nobody here, unless it is trusted") {
    for (const bool squash : {true, false}) {
        CAPTURE(squash);
        MountedFixture nfs({.squash_root = squash});
        nfs.client->as(0, 0);
        const fattr3 found = nfs.attributes(nfs.create(nfs.bucket, "file"));
        CHECK(found.uid == (squash ? 65534 : 0));
        CHECK(found.gid == (squash ? 65534 : 0));
    }
}

TEST_CASE_FIXTURE(MountedFixture, "what the server can do is told") {
    client->call<FSINFO3res>(rpc_nfs3_fsinfo_async, {handle_of(bucket)}, [](const FSINFO3res& res) {
        REQUIRE(res.status == NFS3_OK);
        const auto& info = res.FSINFO3res_u.resok;
        CHECK(info.rtmax == 1 << 20);
        CHECK(info.wtmax == 1 << 20);
        CHECK(info.dtpref == 64 << 10);
        CHECK(info.maxfilesize == (std::uint64_t{1} << 63) - 1);
        CHECK(info.properties == 0x1b);
        CHECK(info.obj_attributes.attributes_follow);
    });
    client->call<PATHCONF3res>(
        rpc_nfs3_pathconf_async, {handle_of(bucket)}, [](const PATHCONF3res& res) {
            REQUIRE(res.status == NFS3_OK);
            CHECK(res.PATHCONF3res_u.resok.name_max == 255);
            CHECK(res.PATHCONF3res_u.resok.no_trunc);
            CHECK_FALSE(res.PATHCONF3res_u.resok.case_insensitive);
        });
    client->call<FSSTAT3res>(rpc_nfs3_fsstat_async, {handle_of(bucket)}, [](const FSSTAT3res& res) {
        REQUIRE(res.status == NFS3_OK);
        CHECK(res.FSSTAT3res_u.resok.tbytes == 1000);
        CHECK(res.FSSTAT3res_u.resok.abytes == 600);
        CHECK(res.FSSTAT3res_u.resok.tfiles == 100);
    });
}

TEST_CASE_FIXTURE(NfsFixture, "programs and versions that are not here are told so") {
    const auto null = [](auto* rpc, rpc_cb done, void* data) {
        return rpc_nfs3_null_async(rpc, done, data);
    };
    CHECK(client->send(null) == RPC_STATUS_SUCCESS);
    for (const auto& [program, version] :
         {std::pair{NFS_PROGRAM, 4}, std::pair{MOUNT_PROGRAM, 2}, std::pair{100021, 4}}) {
        rpc_context* rpc = rpc_init_context();
        int outcome = -1;
        const auto done = [](rpc_context*, int status, void*, void* data) {
            *static_cast<int*>(data) = status;
        };
        // Connecting calls NULL of that program and version.
        REQUIRE(rpc_connect_port_async(rpc, "127.0.0.1", port, program, version, done, &outcome) ==
                0);
        while (outcome == -1) {
            pollfd ready{rpc_get_fd(rpc), static_cast<short>(rpc_which_events(rpc)), 0};
            REQUIRE(::poll(&ready, 1, 20000) > 0);
            if (rpc_service(rpc, ready.revents) != 0) break;
        }
        CHECK(outcome != RPC_STATUS_SUCCESS);
        rpc_destroy_context(rpc);
    }
}
