#include <cstdint>

#include <spdlog/logger.h>

#include "nfs/ops/programs.h"
#include "nfs/rpc/dispatcher.h"
#include "nfs/xdr/gather.h"
#include "objstore/base/assert.h"
#include "tests/nfs/memory_vfs.h"

// Any bytes as the arguments of any procedure, over a small file system: byte 0 is the procedure
// (from 128 on, of MOUNT). Arguments begin with a handle nearly always, and no fuzzer would guess
// its signature, so a handle that only says an inode's number (8 bytes) is replaced by a real one.
namespace {

using nfs::Gather;
using nfs::Writer;

constexpr nfs::SipKey kSecret{1, 2};

struct World {
    World() {
        const fs::Credentials root;
        const auto bucket = vfs.lookup(root, objstore::kRootInode, "b");
        const auto file = vfs.create(root, bucket->inode, "file", {.mode = 0666});
        ASSERT(file.ok());
        const auto written =
            vfs.write(root, {.inode = file->change.attributes->inode}, objstore::as_bytes("data"));
        ASSERT(written.ok());
        ASSERT(vfs.mkdir(root, bucket->inode, "dir", {.mode = 0777}).ok());
        ASSERT(vfs.symlink(root, {bucket->inode, "link", "file"}, {}).ok());
    }

    MemoryVfs vfs;
    spdlog::logger log{"fuzz"};
    nfs::BlockPool blocks{{}};
    nfs::HandleCodec handles{kSecret};
    nfs::OpsContext context{vfs, handles, blocks, log, {}, 1};
    nfs::Programs programs{context};
    objstore::SystemClock clock;
    nfs::ReplyCache replies{{}, clock, kSecret};
    nfs::Dispatcher dispatcher{programs, replies};
};

std::vector<std::byte> record_of(const World& world, std::uint8_t what, objstore::Bytes args) {
    Gather out;
    Writer writer(out);
    const bool mount = what >= 128;
    for (const std::uint32_t word : {7U, 0U, 2U}) writer.u32(word);
    writer.u32(mount ? nfs::kMountProgram : nfs::kNfsProgram);
    writer.u32(mount && (what & 8) != 0 ? 1 : 3);
    writer.u32(mount ? what % 8 : what % 24);
    writer.zeros(4);
    nfs::Reader in(args);
    const auto inode = in.opaque(8);
    if (in.ok() && inode.size() == 8 && inode[0] != std::byte{0}) {
        const auto handle =
            world.handles.encode({objstore::kRootInode, objstore::load<std::uint64_t>(inode)});
        writer.opaque(objstore::Bytes(handle));
        args = in.rest();
    }
    auto record = out.flatten();
    record.insert(record.end(), args.begin(), args.end());
    return record;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    World world;
    const objstore::Bytes args(reinterpret_cast<const std::byte*>(data) + 1, size - 1);
    const auto record = record_of(world, data[0], args);
    Gather out;
    const auto begun = world.dispatcher.begin({}, record, out, 2 * objstore::kMiB);
    if (begun.verdict == nfs::Dispatcher::Verdict::wait) {
        ASSERT(out.empty());
        world.dispatcher.finish({}, begun, out);
    }
    // A whole reply: its marker says its length, and its header is that of an accepted call.
    const auto reply = out.flatten();
    nfs::Reader in(reply);
    ASSERT(in.u32() == (0x80000000U | static_cast<std::uint32_t>(reply.size() - 4)));
    ASSERT(in.u32() == 7);
    ASSERT(in.u32() == 1);
    ASSERT(in.ok() && reply.size() % 4 == 0);
    return 0;
}
