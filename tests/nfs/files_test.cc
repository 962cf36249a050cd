#include <doctest/doctest.h>

#include "tests/nfs/fixture.h"

TEST_CASE_FIXTURE(MountedFixture, "a file that is made can be found, written, read and removed") {
    const std::string file = create(bucket, "file", 0640);
    CHECK(lookup(bucket, "file") == file);
    CHECK(write(file, 0, "hello world") == FILE_SYNC);
    CHECK(write(file, 6, "again") == FILE_SYNC);
    CHECK(read(file, 0, 100) == "hello again");
    CHECK(read(file, 6, 3) == "aga");
    CHECK(read(file, 100, 10).empty());
    const fattr3 found = attributes(file);
    CHECK(found.type == NF3REG);
    CHECK(found.mode == 0640);
    CHECK(found.uid == 1000);
    CHECK(found.size == 11);
    CHECK(found.nlink == 1);
    CHECK(found.fileid != 0);
    CHECK(client->status(rpc_nfs3_remove_async, {name_of(bucket, "file")}) == NFS3_OK);
    CHECK(client->status(rpc_nfs3_lookup_async, {name_of(bucket, "file")}) == NFS3ERR_NOENT);
    CHECK(client->status(rpc_nfs3_getattr_async, {handle_of(file)}) == NFS3ERR_STALE);
}

TEST_CASE_FIXTURE(MountedFixture, "what memory does not know is answered all the same") {
    const std::string file = create(bucket, "file");
    write(file, 0, "data");
    for (objstore::InodeId inode = 1; inode < 10; ++inode) vfs.cold.insert(inode);
    CHECK(lookup(bucket, "file") == file);
    CHECK(read(file, 0, 100) == "data");
    CHECK(attributes(file).size == 4);
    CHECK(client->status(rpc_nfs3_access_async, {handle_of(file), ACCESS3_READ}) == NFS3_OK);
    CHECK(client->status(rpc_nfs3_lookup_async, {name_of(bucket, "none")}) == NFS3ERR_NOENT);
}

TEST_CASE_FIXTURE(MountedFixture, "reads of all sizes bring the bytes and tell the end") {
    std::string data(3 << 20, '\0');
    for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<char>(i * 31 >> 3);
    const std::string file = create(bucket, "file");
    for (std::size_t at = 0; at < data.size(); at += 1 << 20)
        write(file, at, data.substr(at, 1 << 20));
    for (const std::uint32_t count : {0U, 1U, 4095U, 32768U, 32769U, 131073U, 1048576U, 4000000U}) {
        CAPTURE(count);
        const std::uint64_t from = (3 << 20) - 500000;
        const std::size_t expected = std::min<std::size_t>({count, 1 << 20, 500000});
        CHECK(read(file, from, count) == data.substr(from, expected));
        client->call<READ3res>(
            rpc_nfs3_read_async, {handle_of(file), from, count}, [&](const READ3res& result) {
                CHECK(result.READ3res_u.resok.eof == (expected == 500000));
                REQUIRE(result.READ3res_u.resok.file_attributes.attributes_follow);
                CHECK(result.READ3res_u.resok.file_attributes.post_op_attr_u.attributes.size ==
                      data.size());
            });
    }
}

TEST_CASE_FIXTURE(MountedFixture,
                  "a write is told as stable as it is, with the server's verifier") {
    const std::string file = create(bucket, "file");
    CHECK(write(file, 0, "x", UNSTABLE) == UNSTABLE);
    CHECK(write(file, 0, "x", DATA_SYNC) == DATA_SYNC);
    vfs.stability_reached = fs::Stability::file_sync;
    CHECK(write(file, 0, "x", UNSTABLE) == FILE_SYNC);

    vfs.verifier = 0x0102030405060708;
    const std::string verifier("\1\2\3\4\5\6\7\10", 8);
    client->call<COMMIT3res>(
        rpc_nfs3_commit_async, {handle_of(file), 0, 0}, [&](const COMMIT3res& result) {
            REQUIRE(result.status == NFS3_OK);
            CHECK(std::string(result.COMMIT3res_u.resok.verf, 8) == verifier);
            CHECK(result.COMMIT3res_u.resok.file_wcc.after.attributes_follow);
        });
    WRITE3args args{};
    args.file = handle_of(file);
    client->call<WRITE3res>(rpc_nfs3_write_async, args, [&](const WRITE3res& result) {
        REQUIRE(result.status == NFS3_OK);
        CHECK(std::string(result.WRITE3res_u.resok.verf, 8) == verifier);
    });
}

TEST_CASE_FIXTURE(MountedFixture, "a write carries the attributes before and after it") {
    const std::string file = create(bucket, "file");
    write(file, 0, "12345");
    const fattr3 before = attributes(file);
    WRITE3args args{};
    args.file = handle_of(file);
    args.offset = 5;
    args.count = 3;
    args.stable = FILE_SYNC;
    std::string data = "678";
    args.data = {3, data.data()};
    wcc_data change{};
    client->call<WRITE3res>(rpc_nfs3_write_async, args, [&](const WRITE3res& result) {
        change = result.WRITE3res_u.resok.file_wcc;
    });
    REQUIRE(change.before.attributes_follow);
    CHECK(change.before.pre_op_attr_u.attributes.size == 5);
    CHECK(change.before.pre_op_attr_u.attributes.ctime.nseconds == before.ctime.nseconds);
    CHECK(change.before.pre_op_attr_u.attributes.mtime.seconds == before.mtime.seconds);
    REQUIRE(change.after.attributes_follow);
    CHECK(change.after.post_op_attr_u.attributes.size == 8);
}

TEST_CASE_FIXTURE(MountedFixture, "offsets that no file has are refused") {
    const std::string file = create(bucket, "file");
    const std::uint64_t huge = ~std::uint64_t{0} - 10;
    CHECK(client->status(rpc_nfs3_read_async, {handle_of(file), huge, 10}) == NFS3ERR_INVAL);
    WRITE3args args{};
    args.file = handle_of(file);
    args.count = 4;
    std::string data = "data";
    args.data = {4, data.data()};
    for (const std::uint64_t offset : {huge, (std::uint64_t{1} << 63) - 2}) {
        args.offset = offset;
        CHECK(client->status(rpc_nfs3_write_async, args) == NFS3ERR_FBIG);
    }
    CHECK(attributes(file).size == 0);
}

TEST_CASE_FIXTURE(MountedFixture, "an exclusive create is the same again with its verifier only") {
    CREATE3args args{};
    args.where = name_of(bucket, "file");
    args.how.mode = EXCLUSIVE;
    args.how.createhow3_u.verf[0] = 7;
    CHECK(client->status(rpc_nfs3_create_async, args) == NFS3_OK);
    CHECK(client->status(rpc_nfs3_create_async, args) == NFS3_OK);
    args.how.createhow3_u.verf[0] = 8;
    CHECK(client->status(rpc_nfs3_create_async, args) == NFS3ERR_EXIST);
}

TEST_CASE_FIXTURE(MountedFixture,
                  "a guarded create refuses a taken name, an unchecked one does not") {
    write(create(bucket, "file"), 0, "data");
    CREATE3args args{};
    args.where = name_of(bucket, "file");
    args.how.mode = GUARDED;
    CHECK(client->status(rpc_nfs3_create_async, args) == NFS3ERR_EXIST);
    args.how.mode = UNCHECKED;
    args.how.createhow3_u.obj_attributes.size.set_it = 1;
    CHECK(client->status(rpc_nfs3_create_async, args) == NFS3_OK);
    CHECK(attributes(lookup(bucket, "file")).size == 0);
}

TEST_CASE_FIXTURE(MountedFixture, "attributes are set, and only while the guard holds") {
    const std::string file = create(bucket, "file");
    SETATTR3args args{};
    args.object = handle_of(file);
    args.new_attributes.mode = {1, {07601}};
    args.new_attributes.size = {1, {100}};
    args.new_attributes.mtime.set_it = SET_TO_CLIENT_TIME;
    args.new_attributes.mtime.set_mtime_u.mtime = {4000000000U, 5};
    CHECK(client->status(rpc_nfs3_setattr_async, args) == NFS3_OK);
    const fattr3 found = attributes(file);
    CHECK(found.mode == 07601);
    CHECK(found.size == 100);
    CHECK(found.mtime.seconds == 4000000000U);
    CHECK(found.mtime.nseconds == 5);

    args.new_attributes.size = {1, {7}};
    args.guard.check = 1;
    args.guard.sattrguard3_u.obj_ctime = found.mtime;
    CHECK(client->status(rpc_nfs3_setattr_async, args) == NFS3ERR_NOT_SYNC);
    CHECK(attributes(file).size == 100);
    args.guard.sattrguard3_u.obj_ctime = found.ctime;
    CHECK(client->status(rpc_nfs3_setattr_async, args) == NFS3_OK);
    CHECK(attributes(file).size == 7);

    args.guard.check = 0;
    args.new_attributes.mtime.set_mtime_u.mtime = {1, 1000000000};
    CHECK(client->status(rpc_nfs3_setattr_async, args) == NFS3ERR_INVAL);
}

TEST_CASE_FIXTURE(MountedFixture, "access is what modes grant, in the protocol's bits") {
    const std::string file = create(bucket, "file", 0540);
    const auto granted = [&](const std::string& object) {
        std::uint32_t bits = 0;
        client->call<ACCESS3res>(
            rpc_nfs3_access_async, {handle_of(object), 0x3f}, [&](const ACCESS3res& result) {
                REQUIRE(result.status == NFS3_OK);
                bits = result.ACCESS3res_u.resok.access;
            });
        return bits;
    };
    CHECK(granted(file) == (ACCESS3_READ | ACCESS3_EXECUTE));
    CHECK(granted(bucket) ==
          (ACCESS3_READ | ACCESS3_LOOKUP | ACCESS3_MODIFY | ACCESS3_EXTEND | ACCESS3_DELETE));
    client->as(2000, 1000);
    CHECK(granted(file) == ACCESS3_READ);
    client->as(2000, 2000);
    CHECK(granted(file) == 0);
}

TEST_CASE_FIXTURE(MountedFixture, "trouble of the storage is told apart from trouble for good") {
    const std::string file = create(bucket, "file");
    vfs.cold.insert({1, 2, 3, 4});
    using objstore::Status;
    const std::pair<Status, int> cases[] = {
        {Status::unavailable("busy", objstore::Why::busy), NFS3ERR_JUKEBOX},
        {Status::unavailable("no disks"), NFS3ERR_IO},
        {Status::io_error("broken"), NFS3ERR_IO},
        {Status::corruption("wrong bytes"), NFS3ERR_IO},
        {Status::no_space("full"), NFS3ERR_NOSPC},
        {Status::unavailable("too few disks", objstore::Why::read_only), NFS3ERR_IO},
    };
    for (const auto& [failure, expected] : cases) {
        const auto shown = failure;  // clang 14 captures no bindings
        CAPTURE(shown.message());
        vfs.failure = failure;
        CHECK(client->status(rpc_nfs3_getattr_async, {handle_of(file)}) == expected);
        CHECK(client->status(rpc_nfs3_read_async, {handle_of(file), 0, 5}) == expected);
        CHECK(client->status(rpc_nfs3_remove_async, {name_of(bucket, "file")}) == expected);
    }
}
