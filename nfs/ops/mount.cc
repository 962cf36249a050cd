#include "nfs/ops/mount.h"

#include <algorithm>

#include "nfs/ops/results.h"

namespace nfs {

using objstore::kRootInode;
using objstore::Result;

namespace {

constexpr std::size_t kMountedMax = 256;
constexpr std::size_t kExportsMax = 4096;  // listed
constexpr std::size_t kPageEntries = 500;
constexpr std::uint32_t kErrnoIo = 5;

// Mount paths are looked up for the server, not for the user who calls: what a path leads to is no
// secret, and what lies there is guarded by its modes.
fs::Credentials superuser() {
    fs::Credentials who;
    who.door = objstore::Door::nfs;
    return who;
}

// Takes the next component off the front of `path`; empty at its end.
std::string_view next_component(std::string_view& path) {
    path.remove_prefix(std::min(path.find_first_not_of('/'), path.size()));
    const std::string_view component = path.substr(0, path.find('/'));
    path.remove_prefix(component.size());
    return component;
}

std::string machine_of(const Call& call) {
    return call.caller.machine.empty() ? "unknown" : std::string(call.caller.machine);
}

}  // namespace

Request::Target MountProgram::resolve(Request& request, std::string_view path) {
    FileHandle handle{kRootInode, kRootInode};
    const fs::Credentials who = superuser();
    for (auto name = next_component(path); !name.empty(); name = next_component(path)) {
        const auto found = context_.vfs.lookup(who, handle.inode, name);
        if (!found.ok()) return {request.failed(found.error()), {}};
        if (!found->is_directory()) return {NfsStatus::notdir, {}};
        if (handle.inode == kRootInode) handle.exported = found->inode;
        handle.inode = found->inode;
    }
    if (handle.exported == kRootInode && !context_.options.export_root) {
        return {NfsStatus::acces, {}};
    }
    return {NfsStatus::ok, handle};
}

Answer MountProgram::mount(const Call& call, Writer& out) {
    Request request(context_, call, true);
    const std::string_view path = request.args().text(kMountPathBytesMax);
    if (!request.args().ok()) return Answer::garbage_args;
    const auto target = resolve(request, path);
    const bool is_old = call.version == kVersionLow;
    if (!target.ok()) {
        // Version 1 has errno values, which are the same for all that a path can get wrong.
        const auto status = static_cast<std::uint32_t>(target.status);
        out.u32(is_old && status > 10000 ? kErrnoIo : status);
        return Answer::success;
    }
    Mounted mounted{machine_of(call), std::string(path)};
    mounted_.with([&](std::deque<Mounted>& all) {
        std::erase(all, mounted);
        if (all.size() >= kMountedMax) all.pop_front();
        all.push_back(std::move(mounted));
    });
    out.u32(0);
    const auto handle = context_.handles.encode(target.handle);
    if (is_old) {
        static_assert(HandleCodec::kBytes == 32);  // what version 1 has, no more and no less
        out.fixed(handle);
        return Answer::success;
    }
    out.opaque(objstore::Bytes(handle));
    out.u32(2);  // flavors, best first
    out.u32(static_cast<std::uint32_t>(AuthFlavor::sys));
    out.u32(static_cast<std::uint32_t>(AuthFlavor::none));
    return Answer::success;
}

Answer MountProgram::unmount(const Call& call, Writer&) {
    Reader args(call.args);
    const std::string_view path = args.text(kMountPathBytesMax);
    if (!args.ok()) return Answer::garbage_args;
    const Mounted gone{machine_of(call), std::string(path)};
    mounted_.with([&](std::deque<Mounted>& all) { std::erase(all, gone); });
    return Answer::success;
}

Answer MountProgram::unmount_all(const Call& call, Writer&) {
    const std::string client = machine_of(call);
    mounted_.with([&](std::deque<Mounted>& all) {
        std::erase_if(all, [&](const Mounted& mounted) { return mounted.client == client; });
    });
    return Answer::success;
}

Answer MountProgram::dump(Writer& out) {
    const auto all = mounted_.with([](const std::deque<Mounted>& list) { return list; });
    for (const Mounted& mounted : all) {
        out.boolean(true);
        out.text(mounted.client);
        out.text(mounted.path);
    }
    out.boolean(false);
    return Answer::success;
}

Answer MountProgram::list_exports(Request& request, Writer& out) {
    const auto add = [&out](std::string_view path) {
        out.boolean(true);
        out.text(path);
        out.boolean(false);  // no groups: open to all who can reach the port
    };
    if (context_.options.export_root) add("/");
    std::uint64_t cookie = 0;
    for (std::size_t count = 0; count < kExportsMax;) {
        const auto page =
            context_.vfs.read_directory(superuser(), kRootInode, cookie, kPageEntries);
        if (!page.ok()) {
            request.failed(page.error());
            return Answer::system_error;
        }
        for (const fs::DirectoryEntry& bucket : page->entries) {
            add("/" + bucket.name);
            cookie = bucket.cookie;
        }
        count += page->entries.size();
        if (page->end || page->entries.empty()) break;
    }
    out.boolean(false);
    return Answer::success;
}

Answer MountProgram::call(const Call& call, Writer& out) {
    switch (static_cast<Procedure>(call.procedure)) {
        case Procedure::null:
            return Answer::success;
        case Procedure::mount:
            return mount(call, out);
        case Procedure::dump:
            return dump(out);
        case Procedure::unmount:
            return unmount(call, out);
        case Procedure::unmount_all:
            return unmount_all(call, out);
        case Procedure::list_exports: {
            Request request(context_, call, true);
            return list_exports(request, out);
        }
    }
    UNREACHABLE();
}

}  // namespace nfs
