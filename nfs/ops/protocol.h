#pragma once

#include <cstdint>

// Numbers of NFS version 3 (RFC 1813) and MOUNT.
namespace nfs {

inline constexpr std::uint32_t kNfsProgram = 100003;
inline constexpr std::uint32_t kMountProgram = 100005;

inline constexpr std::size_t kHandleBytesMax = 64;
// What is read of a name or path; longer ones than the file system takes are its error to tell.
inline constexpr std::size_t kNameWireBytesMax = 4096;
inline constexpr std::size_t kPathWireBytesMax = 8192;
inline constexpr std::size_t kMountPathBytesMax = 1024;
inline constexpr std::size_t kVerifierBytes = 8;

enum class Procedure : std::uint32_t {
    null = 0,
    getattr = 1,
    setattr = 2,
    lookup = 3,
    access = 4,
    readlink = 5,
    read = 6,
    write = 7,
    create = 8,
    mkdir = 9,
    symlink = 10,
    mknod = 11,
    remove = 12,
    rmdir = 13,
    rename = 14,
    link = 15,
    readdir = 16,
    readdirplus = 17,
    fsstat = 18,
    fsinfo = 19,
    pathconf = 20,
    commit = 21,
};

enum class NfsStatus : std::uint32_t {
    ok = 0,
    perm = 1,
    noent = 2,
    io = 5,
    nxio = 6,
    acces = 13,
    exist = 17,
    xdev = 18,
    nodev = 19,
    notdir = 20,
    isdir = 21,
    inval = 22,
    fbig = 27,
    nospc = 28,
    rofs = 30,
    mlink = 31,
    nametoolong = 63,
    notempty = 66,
    dquot = 69,
    stale = 70,
    badhandle = 10001,
    not_sync = 10002,
    bad_cookie = 10003,
    notsupp = 10004,
    toosmall = 10005,
    serverfault = 10006,
    badtype = 10007,
    jukebox = 10008,
};

enum class WireType : std::uint32_t {
    regular = 1,
    directory = 2,
    block_device = 3,
    char_device = 4,
    symlink = 5,
    socket = 6,
    fifo = 7,
};

enum class Stable : std::uint32_t { unstable = 0, data_sync = 1, file_sync = 2 };
enum class CreateMode : std::uint32_t { unchecked = 0, guarded = 1, exclusive = 2 };

// Bits of ACCESS.
inline constexpr std::uint32_t kAccessRead = 0x01;
inline constexpr std::uint32_t kAccessLookup = 0x02;
inline constexpr std::uint32_t kAccessModify = 0x04;
inline constexpr std::uint32_t kAccessExtend = 0x08;
inline constexpr std::uint32_t kAccessDelete = 0x10;
inline constexpr std::uint32_t kAccessExecute = 0x20;

}  // namespace nfs
