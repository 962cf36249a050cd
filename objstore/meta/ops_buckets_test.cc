#include <doctest/doctest.h>

#include "tests/sim/check_status.h"
#include "tests/sim/sim_namespace.h"

using namespace objstore;
using tests::check_error;
using tests::SimNamespace;

namespace {

BucketRow bucket_row(SimNamespace& names, std::string_view name) {
    BucketRow row;
    row.name = name;
    row.created = names.tick();
    return row;
}

}  // namespace

TEST_CASE("a bucket is a made directory in the root") {
    SimNamespace names;
    REQUIRE(names.run(CreateBucketOp{bucket_row(names, "c")}).ok());
    const Inode inode = *names.result.inode;
    CHECK(inode.bucket == inode.id);
    CHECK(inode.parent == kRootInode);
    CHECK(inode.mode == 0755);
    CHECK(names.result.entry.name == "c/");
    CHECK(names.inode(kRootInode)->directory.children == 2);
    CHECK(names.inode(kRootInode)->nlink == 4);
    CHECK(names.inode(kRootInode)->mtime == names.now);
    CHECK(names.problems() == "");
    check_error(names.run(CreateBucketOp{bucket_row(names, "c")}),
                Code::already_exists,
                Why::bucket_exists);
    REQUIRE(names.result.before != nullptr);
    CHECK(names.result.before->id == inode.id);
    check_error(names.run(CreateBucketOp{bucket_row(names, "x/y")}), Code::invalid_argument);
    check_error(names.run(CreateBucketOp{bucket_row(names, "")}), Code::invalid_argument);
}

TEST_CASE("an empty bucket can be deleted, and one that is absent not") {
    SimNamespace names;
    REQUIRE(names.run(DeleteBucketOp{"b", names.tick()}).ok());
    CHECK(names.inode(names.bucket) == nullptr);
    CHECK(names.inode(kRootInode)->directory.children == 0);
    CHECK(names.problems() == "");
    check_error(names.run(DeleteBucketOp{"b", names.tick()}), Code::not_found, Why::no_bucket);
}

TEST_CASE("a bucket that holds only directories is empty") {
    SimNamespace names;
    REQUIRE(names.make_directory(names.bucket, "d").ok());
    REQUIRE(names.make_directory(names.id("d/"), "e").ok());
    REQUIRE(names.set_xattr(names.id("d/e/"), "user.x", "1").ok());
    REQUIRE(names.put("f/x", "x").ok());
    REQUIRE(names.unlink(names.id("f/"), "x").ok());
    for (int i = 0; i < 300; ++i) {
        REQUIRE(names.make_directory(names.id("d/"), "n" + std::to_string(i)).ok());
    }
    REQUIRE(names.run(DeleteBucketOp{"b", names.tick()}).ok());
    CHECK(names.tables.rows().inodes.size() == 1);
    CHECK(names.problems() == "");
}

TEST_CASE("a bucket with anything else is not empty, and the error names it") {
    SimNamespace names;
    REQUIRE(names.make_directory(names.bucket, "d").ok());
    REQUIRE(names.create(names.id("d/"), "link", FileType::symlink).ok());
    Status status = names.run(DeleteBucketOp{"b", names.tick()});
    check_error(status, Code::conflict, Why::not_empty);
    CHECK(status.message().find("d/link") != std::string_view::npos);
    REQUIRE(names.unlink(names.id("d/"), "link").ok());
    REQUIRE(names.put("d/m/", "").ok());
    status = names.run(DeleteBucketOp{"b", names.tick()});
    check_error(status, Code::conflict, Why::not_empty);
    CHECK(status.message().find("d/m/") != std::string_view::npos);
    REQUIRE(names.remove("d/m/").ok());
    REQUIRE(names.put("x", "").ok());
    check_error(names.run(DeleteBucketOp{"b", names.tick()}), Code::conflict, Why::not_empty);
    CHECK(names.problems() == "");
}

TEST_CASE("the error of a deep bucket names the end of a path that is no key") {
    SimNamespace names;
    InodeId at = names.bucket;
    for (int i = 0; i < 1000; ++i) {
        REQUIRE(names.make_directory(at, std::string(255, 'd')).ok());
        at = names.result.inode->id;
    }
    REQUIRE(names.create(at, "link", FileType::symlink).ok());
    const Status status = names.run(DeleteBucketOp{"b", names.tick()});
    check_error(status, Code::conflict, Why::not_empty);
    CHECK(status.message().size() < 2000);
    CHECK(status.message().find(" ...ddd") != std::string_view::npos);
    CHECK(status.message().ends_with("ddd/link"));
    REQUIRE(names.unlink(at, "link").ok());
    REQUIRE(names.run(DeleteBucketOp{"b", names.tick()}).ok());
    CHECK(names.problems() == "");
}

TEST_CASE("a bucket goes with as many directories as one operation may remove") {
    SimNamespace names;
    std::vector<Op> ops;
    for (int i = 0; i <= 10'000; ++i) {
        CreateOp op{.parent = names.bucket, .name = std::to_string(i)};
        op.inode.type = FileType::directory;
        ops.emplace_back(std::move(op));
    }
    REQUIRE(names.tables.commit(ops, nullptr).ok());
    const Status status = names.run(DeleteBucketOp{"b", names.tick()});
    check_error(status, Code::conflict, Why::not_empty);
    CHECK(status.message().find("10,000 directories") != std::string_view::npos);
    REQUIRE(names.rmdir(names.bucket, "0").ok());
    REQUIRE(names.run(DeleteBucketOp{"b", names.tick()}).ok());
    CHECK(names.tables.rows().inodes.size() == 1);
}

TEST_CASE("a bucket with an upload in progress is not empty") {
    SimNamespace names;
    CreateUploadOp op;
    op.upload.id = 5;
    op.upload.bucket = names.bucket;
    op.upload.key = "k";
    REQUIRE(names.run(op).ok());
    check_error(names.run(DeleteBucketOp{"b", names.tick()}), Code::conflict, Why::not_empty);
    REQUIRE(names.run(AbortUploadOp{names.bucket, "k", 5}).ok());
    CHECK(names.run(DeleteBucketOp{"b", names.tick()}).ok());
}

TEST_CASE("directories that are open when their bucket goes become orphans") {
    SimNamespace names;
    REQUIRE(names.make_directory(names.bucket, "d").ok());
    REQUIRE(names.make_directory(names.id("d/"), "e").ok());
    const InodeId id = names.id("d/");
    names.tables.holds = {id, names.bucket};
    REQUIRE(names.run(DeleteBucketOp{"b", names.tick()}).ok());
    REQUIRE(names.inode(id) != nullptr);
    CHECK(names.inode(id)->nlink == 0);
    CHECK(names.problems() == "");
    check_error(names.make_file(id, "f"), Code::not_found);
    check_error(names.make_file(names.bucket, "f"), Code::not_found);
    names.tables.holds.clear();
    REQUIRE(names.run(ReapOp{id}).ok());
    REQUIRE(names.run(ReapOp{names.bucket}).ok());
    CHECK(names.tables.rows().inodes.size() == 1);
    CHECK(names.problems() == "");
}

TEST_CASE("the root holds buckets alone") {
    SimNamespace names;
    REQUIRE(names.put("k", "x").ok());
    for (const FileType type : {FileType::regular, FileType::directory, FileType::symlink}) {
        check_error(
            names.create(kRootInode, "x", type), Code::permission_denied, Why::not_permitted);
    }
    check_error(names.rmdir(kRootInode, "b"), Code::permission_denied, Why::not_permitted);
    check_error(
        names.link(names.id("k"), kRootInode, "x"), Code::permission_denied, Why::not_permitted);
    check_error(names.rename(kRootInode, "b", "c"), Code::permission_denied, Why::not_permitted);
    RenameOp up{names.bucket, "k", kRootInode, "k"};
    check_error(names.run(up), Code::permission_denied, Why::not_permitted);
    check_error(names.unlink(kRootInode, "b"), Code::conflict, Why::is_directory);
    CHECK(names.problems() == "");
}

TEST_CASE("renames and links between buckets are for the client to copy") {
    SimNamespace names;
    REQUIRE(names.put("k", "x").ok());
    REQUIRE(names.run(CreateBucketOp{bucket_row(names, "c")}).ok());
    const InodeId other = names.result.inode->id;
    check_error(
        names.run(RenameOp{names.bucket, "k", other, "k"}), Code::unsupported, Why::cross_bucket);
    check_error(names.link(names.id("k"), other, "k"), Code::unsupported, Why::cross_bucket);
}
