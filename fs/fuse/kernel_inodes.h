#pragma once

#include <array>
#include <cstdint>
#include <unordered_map>

#include "fs/vfs/types.h"
#include "objstore/base/guarded.h"

namespace fs {

// Which inodes the kernel of the mount knows, by its lookups less its forgets: only of those does
// it cache anything. The root is always known. Threads: any. Cost: one short lock.
class KernelInodes final {
public:
    void looked_up(InodeId inode) {
        if (inode == kRootInode) return;
        part_of(inode).with([&](Inodes& inodes) { ++inodes[inode].lookups; });
    }
    void forget(InodeId inode, std::uint64_t lookups) {
        if (inode == kRootInode) return;
        part_of(inode).with([&](Inodes& inodes) {
            const auto found = inodes.find(inode);
            if (found == inodes.end()) return;
            // The counts come from the kernel, which we do not assert about.
            found->second.lookups -= std::min(found->second.lookups, lookups);
            if (found->second.lookups == 0) inodes.erase(found);
        });
    }
    bool knows(InodeId inode) {
        if (inode == kRootInode) return true;
        return part_of(inode).with([&](Inodes& inodes) { return inodes.count(inode) > 0; });
    }
    // Its cached pages may be old until the kernel was told.
    void suspect(InodeId inode, bool suspicious) {
        part_of(inode).with([&](Inodes& inodes) {
            const auto found = inodes.find(inode);
            if (found != inodes.end()) found->second.suspect = suspicious;
        });
    }
    bool suspected(InodeId inode) {
        return part_of(inode).with([&](Inodes& inodes) {
            const auto found = inodes.find(inode);
            return found != inodes.end() && found->second.suspect;
        });
    }
    void clear() {
        for (auto& part : parts_) part.with([](Inodes& inodes) { inodes.clear(); });
    }

private:
    struct Known {
        std::uint64_t lookups = 0;
        bool suspect = false;
    };
    using Inodes = std::unordered_map<InodeId, Known>;
    static constexpr std::size_t kParts = 64;

    objstore::Guarded<Inodes>& part_of(InodeId inode) { return parts_[inode % kParts]; }

    std::array<objstore::Guarded<Inodes>, kParts> parts_;
};

}  // namespace fs
