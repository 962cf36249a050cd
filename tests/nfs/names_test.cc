#include <map>
#include <set>

#include <doctest/doctest.h>

#include "tests/nfs/fixture.h"

namespace {

struct Listed {
    std::string name;
    std::uint64_t file_id = 0;
    std::uint64_t cookie = 0;
};

struct Page {
    std::vector<Listed> entries;
    bool end = false;
    int status = -1;
};

Page readdir(const MountedFixture& nfs,
             const std::string& directory,
             std::uint64_t cookie,
             std::uint32_t count) {
    Page page;
    READDIR3args args{};
    args.dir = handle_of(directory);
    args.cookie = cookie;
    args.count = count;
    nfs.client->call<READDIR3res>(rpc_nfs3_readdir_async, args, [&](const READDIR3res& result) {
        page.status = result.status;
        if (result.status != NFS3_OK) return;
        const auto& reply = result.READDIR3res_u.resok.reply;
        for (const entry3* entry = reply.entries; entry; entry = entry->nextentry) {
            page.entries.push_back({entry->name, entry->fileid, entry->cookie});
        }
        page.end = reply.eof != 0;
    });
    return page;
}

// The entries of a READDIRPLUS, each of which must carry what LOOKUP and GETATTR say.
Page readdirplus(const MountedFixture& nfs,
                 const std::string& directory,
                 std::uint64_t cookie,
                 std::pair<std::uint32_t, std::uint32_t> counts) {
    Page page;
    std::map<std::string, std::string> handles;
    READDIRPLUS3args args{};
    args.dir = handle_of(directory);
    args.cookie = cookie;
    args.dircount = counts.first;
    args.maxcount = counts.second;
    const auto check = [&](const READDIRPLUS3res& result) {
        page.status = result.status;
        if (result.status != NFS3_OK) return;
        const auto& reply = result.READDIRPLUS3res_u.resok.reply;
        for (const entryplus3* entry = reply.entries; entry; entry = entry->nextentry) {
            page.entries.push_back({entry->name, entry->fileid, entry->cookie});
            if (std::string_view(entry->name) == "..") continue;
            REQUIRE(entry->name_handle.handle_follows);
            handles[entry->name] = bytes_of(entry->name_handle.post_op_fh3_u.handle);
            REQUIRE(entry->name_attributes.attributes_follow);
            CHECK(entry->name_attributes.post_op_attr_u.attributes.fileid == entry->fileid);
        }
        page.end = reply.eof != 0;
    };
    nfs.client->call<READDIRPLUS3res>(rpc_nfs3_readdirplus_async, args, check);
    for (const auto& [name, handle] : handles) {
        CHECK(nfs.lookup(directory, name.c_str()) == handle);
    }
    return page;
}

template <typename ReadPage>
std::vector<std::string> all_names(ReadPage&& read_page) {
    std::vector<std::string> names;
    std::uint64_t cookie = 0;
    while (true) {
        const Page page = read_page(cookie);
        REQUIRE(page.status == NFS3_OK);
        for (const Listed& entry : page.entries) {
            names.push_back(entry.name);
            CHECK(entry.file_id != 0);
            CHECK(static_cast<std::int64_t>(entry.cookie) > 0);
            cookie = entry.cookie;
        }
        if (page.end) return names;
        REQUIRE(!page.entries.empty());
    }
}

struct FullDirectory : MountedFixture {
    FullDirectory() {
        for (int i = 0; i < 300; ++i) {
            const std::string name =
                "file" + std::string(static_cast<std::size_t>(i % 40), 'x') + std::to_string(i);
            create(directory, name.c_str());
            expected.push_back(name);
        }
    }
    const std::string directory = mkdir(bucket, "dir");
    std::vector<std::string> expected{".", ".."};
};

}  // namespace

TEST_CASE_FIXTURE(FullDirectory, "a directory is listed once and whole in pages of any size") {
    for (const std::uint32_t count : {200U, 500U, 4096U, 65536U, 0xffffffffU}) {
        CAPTURE(count);
        CHECK(all_names([&](std::uint64_t cookie) {
                  return readdir(*this, directory, cookie, count);
              }) == expected);
    }
    for (const std::uint32_t count : {400U, 4096U, 65536U, 0xffffffffU}) {
        CAPTURE(count);
        CHECK(all_names([&](std::uint64_t cookie) {
                  return readdirplus(*this, directory, cookie, {count, count});
              }) == expected);
    }
}

TEST_CASE_FIXTURE(FullDirectory, "a page has no more bytes than asked for") {
    // As RFC 1813 counts: attributes, verifier, entries, and two words that end the list.
    for (const std::uint32_t count : {1000U, 8192U}) {
        std::size_t bytes = 88 + 8 + 8;
        for (const Listed& entry : readdir(*this, directory, 0, count).entries) {
            bytes += 4 + 8 + 4 + (entry.name.size() + 3) / 4 * 4 + 8;
        }
        CHECK(bytes <= count);
        CHECK(bytes > count - 100);
    }
    const auto few = readdirplus(*this, directory, 0, {512, 65536}).entries;
    const auto many = readdirplus(*this, directory, 0, {65536, 65536}).entries;
    CHECK(few.size() < 20);
    CHECK(many.size() > 200);
}

TEST_CASE_FIXTURE(FullDirectory, "room for not even one entry is too small") {
    CHECK(readdir(*this, directory, 0, 0).status == NFS3ERR_TOOSMALL);
    CHECK(readdir(*this, directory, 0, 110).status == NFS3ERR_TOOSMALL);
    CHECK(readdirplus(*this, directory, 2, {110, 110}).status == NFS3ERR_TOOSMALL);
}

TEST_CASE_FIXTURE(FullDirectory, "a listing goes on while entries come and go") {
    const Page first = readdir(*this, directory, 0, 2000);
    REQUIRE(!first.end);
    for (const Listed& entry : first.entries) {
        if (entry.name.front() != '.') {
            CHECK(client->status(rpc_nfs3_remove_async, {name_of(directory, entry.name.c_str())}) ==
                  NFS3_OK);
        }
    }
    create(directory, "new");
    std::vector<std::string> names;
    for (const Listed& entry : first.entries) names.push_back(entry.name);
    std::uint64_t cookie = first.entries.back().cookie;
    for (bool end = false; !end;) {
        const Page page = readdir(*this, directory, cookie, 2000);
        for (const Listed& entry : page.entries) names.push_back(entry.name);
        end = page.end;
        cookie = page.entries.back().cookie;
    }
    expected.push_back("new");
    CHECK(names == expected);
}

TEST_CASE_FIXTURE(MountedFixture, "a file is no directory") {
    const std::string file = create(bucket, "file");
    CHECK(readdir(*this, file, 0, 4096).status == NFS3ERR_NOTDIR);
    CHECK(client->status(rpc_nfs3_lookup_async, {name_of(file, "x")}) == NFS3ERR_NOTDIR);
    CHECK(client->status(rpc_nfs3_rmdir_async, {name_of(bucket, "file")}) == NFS3ERR_NOTDIR);
}

TEST_CASE_FIXTURE(MountedFixture, "directories are made, and removed when they are empty") {
    const std::string directory = mkdir(bucket, "dir");
    CHECK(attributes(directory).type == NF3DIR);
    create(directory, "file");
    CHECK(client->status(rpc_nfs3_rmdir_async, {name_of(bucket, "dir")}) == NFS3ERR_NOTEMPTY);
    CHECK(client->status(rpc_nfs3_remove_async, {name_of(bucket, "dir")}) == NFS3ERR_ISDIR);
    CHECK(client->status(rpc_nfs3_remove_async, {name_of(directory, "file")}) == NFS3_OK);
    CHECK(client->status(rpc_nfs3_rmdir_async, {name_of(bucket, "dir")}) == NFS3_OK);
    CHECK(client->status(rpc_nfs3_getattr_async, {handle_of(directory)}) == NFS3ERR_STALE);
}

TEST_CASE_FIXTURE(MountedFixture, "changes of names carry the directory before and after them") {
    const fattr3 before = attributes(bucket);
    wcc_data change{};
    MKDIR3args args{};
    args.where = name_of(bucket, "dir");
    client->call<MKDIR3res>(rpc_nfs3_mkdir_async, args, [&](const MKDIR3res& result) {
        change = result.MKDIR3res_u.resok.dir_wcc;
    });
    REQUIRE(change.before.attributes_follow);
    CHECK(change.before.pre_op_attr_u.attributes.ctime.nseconds == before.ctime.nseconds);
    REQUIRE(change.after.attributes_follow);
    CHECK(change.after.post_op_attr_u.attributes.nlink == before.nlink + 1);

    client->call<MKDIR3res>(rpc_nfs3_mkdir_async, args, [&](const MKDIR3res& result) {
        CHECK(result.status == NFS3ERR_EXIST);
        change = result.MKDIR3res_u.resfail.dir_wcc;
    });
    CHECK_FALSE(change.before.attributes_follow);
    CHECK(change.after.attributes_follow);
}

TEST_CASE_FIXTURE(MountedFixture, "files are renamed and linked") {
    const std::string file = create(bucket, "old");
    const std::string directory = mkdir(bucket, "dir");
    const RENAME3args rename{name_of(bucket, "old"), name_of(directory, "new")};
    client->call<RENAME3res>(rpc_nfs3_rename_async, rename, [&](const RENAME3res& result) {
        REQUIRE(result.status == NFS3_OK);
        CHECK(result.RENAME3res_u.resok.fromdir_wcc.before.attributes_follow);
        CHECK(result.RENAME3res_u.resok.todir_wcc.after.attributes_follow);
    });
    CHECK(lookup(directory, "new") == file);
    CHECK(client->status(rpc_nfs3_rename_async, rename) == NFS3ERR_NOENT);

    const LINK3args link{handle_of(file), name_of(bucket, "link")};
    client->call<LINK3res>(rpc_nfs3_link_async, link, [&](const LINK3res& result) {
        REQUIRE(result.status == NFS3_OK);
        REQUIRE(result.LINK3res_u.resok.file_attributes.attributes_follow);
        CHECK(result.LINK3res_u.resok.file_attributes.post_op_attr_u.attributes.nlink == 2);
        CHECK(result.LINK3res_u.resok.linkdir_wcc.before.attributes_follow);
    });
    CHECK(lookup(bucket, "link") == file);
    CHECK(client->status(rpc_nfs3_link_async, link) == NFS3ERR_EXIST);
}

TEST_CASE_FIXTURE(MountedFixture, "symbolic links, devices and pipes are made and shown") {
    SYMLINK3args symlink{};
    symlink.where = name_of(bucket, "link");
    std::string target = "../some/where";
    symlink.symlink.symlink_data = target.data();
    CHECK(client->status(rpc_nfs3_symlink_async, symlink) == NFS3_OK);
    const std::string link = lookup(bucket, "link");
    client->call<READLINK3res>(
        rpc_nfs3_readlink_async, {handle_of(link)}, [&](const READLINK3res& result) {
            REQUIRE(result.status == NFS3_OK);
            CHECK(std::string(result.READLINK3res_u.resok.data) == target);
        });
    CHECK(client->status(rpc_nfs3_readlink_async, {handle_of(bucket)}) == NFS3ERR_INVAL);

    MKNOD3args device{};
    device.where = name_of(bucket, "device");
    device.what.type = NF3CHR;
    device.what.mknoddata3_u.chr_device.spec = {1, 3};
    CHECK(client->status(rpc_nfs3_mknod_async, device) == NFS3_OK);
    const fattr3 found = attributes(lookup(bucket, "device"));
    CHECK(found.type == NF3CHR);
    CHECK(found.rdev.specdata1 == 1);
    CHECK(found.rdev.specdata2 == 3);

    MKNOD3args pipe{};
    pipe.where = name_of(bucket, "pipe");
    pipe.what.type = NF3FIFO;
    CHECK(client->status(rpc_nfs3_mknod_async, pipe) == NFS3_OK);
    CHECK(attributes(lookup(bucket, "pipe")).type == NF3FIFO);
}

TEST_CASE_FIXTURE(MountedFixture, "names that can not be are refused") {
    const std::string longest(255, 'n');
    create(bucket, longest.c_str());
    const std::string longer(256, 'n');
    const std::string much_longer(900, 'n');
    for (const std::string& each : {longer, much_longer}) {
        CHECK(client->status(rpc_nfs3_lookup_async, {name_of(bucket, each.c_str())}) ==
              NFS3ERR_NAMETOOLONG);
    }
    for (const char* each : {"", "a/b", "/"}) {
        CHECK(client->status(rpc_nfs3_lookup_async, {name_of(bucket, each)}) == NFS3ERR_INVAL);
        MKDIR3args args{};
        args.where = name_of(bucket, each);
        CHECK(client->status(rpc_nfs3_mkdir_async, args) == NFS3ERR_INVAL);
    }
}
