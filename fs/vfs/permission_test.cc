#include "fs/vfs/permission.h"

#include <doctest/doctest.h>

namespace fs {
namespace {

using objstore::Code;
using objstore::Inode;
using objstore::Why;

Inode file(std::uint32_t mode, std::uint32_t uid = 10, std::uint32_t gid = 20) {
    Inode inode;
    inode.id = 5;
    inode.mode = mode;
    inode.uid = uid;
    inode.gid = gid;
    return inode;
}
Inode directory(std::uint32_t mode, std::uint32_t uid = 10, std::uint32_t gid = 20) {
    Inode inode = file(mode, uid, gid);
    inode.type = FileType::directory;
    return inode;
}
Credentials user(std::uint32_t uid, std::uint32_t gid, std::vector<std::uint32_t> groups = {}) {
    Credentials who;
    who.uid = uid;
    who.gid = gid;
    who.groups = std::move(groups);
    return who;
}

TEST_CASE("the first class that fits decides, even where a later one would grant more") {
    const Inode inode = file(0467);
    CHECK(granted_access(user(10, 20), inode, 7) == 4);
    CHECK(granted_access(user(11, 20), inode, 7) == 6);
    CHECK(granted_access(user(11, 9, {20}), inode, 7) == 6);
    CHECK(granted_access(user(11, 9), inode, 7) == 7);
}

TEST_CASE("root may do anything but execute what nobody may") {
    CHECK(granted_access(user(0, 0), file(0), 7) == 6);
    CHECK(granted_access(user(0, 0), file(01), 7) == 7);
    CHECK(granted_access(user(0, 0), directory(0), 7) == 7);
}

TEST_CASE("in a sticky directory only owners remove") {
    const Inode sticky = directory(01777, 1);
    CHECK(check_remove(user(10, 20), sticky, file(0)).ok());
    CHECK(check_remove(user(1, 1), sticky, file(0)).ok());
    CHECK(check_remove(user(0, 0), sticky, file(0)).ok());
    CHECK(check_remove(user(11, 20), sticky, file(0666)).why() == Why::not_permitted);
    CHECK(check_remove(user(11, 20), directory(0755, 1), file(0)).code() ==
          Code::permission_denied);
}

TEST_CASE("chmod is for the owner, and drops set-group-ID of foreign groups") {
    SetAttributes changes;
    changes.mode = 02755;
    CHECK(plan_setattr(user(11, 20), file(0644), changes, 1).why() == Why::not_permitted);
    CHECK(plan_setattr(user(10, 20), file(0644), changes, 1)->mode == 02755U);
    CHECK(plan_setattr(user(10, 9), file(0644), changes, 1)->mode == 0755U);
    CHECK(plan_setattr(user(0, 0), file(0644), changes, 1)->mode == 02755U);
}

TEST_CASE("an owner gives a file to groups of his own, and to no other user") {
    SetAttributes group;
    group.gid = 30;
    CHECK(plan_setattr(user(10, 20, {30}), file(06755), group, 1)->clear_setid);
    CHECK(plan_setattr(user(10, 20), file(0644), group, 1).why() == Why::not_permitted);
    SetAttributes owner;
    owner.uid = 11;
    CHECK(plan_setattr(user(10, 20), file(0644), owner, 1).why() == Why::not_permitted);
    CHECK(plan_setattr(user(0, 0), file(0644), owner, 1).ok());
}

TEST_CASE("times of one's choice are for owners, the present one for all who may write") {
    SetAttributes chosen;
    chosen.mtime = 5;
    CHECK(plan_setattr(user(11, 20), file(0666), chosen, 9).why() == Why::not_permitted);
    CHECK(plan_setattr(user(10, 20), file(0), chosen, 9)->mtime == 5);
    SetAttributes now;
    now.mtime_now = true;
    CHECK(plan_setattr(user(11, 20), file(0666), now, 9)->mtime == 9);
    CHECK(plan_setattr(user(11, 20), file(0644), now, 9).code() == Code::permission_denied);
}

}  // namespace
}  // namespace fs
