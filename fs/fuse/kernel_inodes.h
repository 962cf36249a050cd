#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "fs/vfs/types.h"
#include "objstore/base/guarded.h"

namespace fs {

struct KernelName {
    InodeId parent = 0;
    std::string name;
    bool operator==(const KernelName&) const = default;
};

// Which inodes the kernel of the mount knows, by its lookups less its forgets: only of those does
// it cache anything, but for absent names. The root is always known. Threads: any. Cost: one short
// lock, and about 100 bytes for an inode.
class KernelInodes final {
public:
    static constexpr std::size_t kParts = 64;
    static constexpr std::size_t kNamesMax = 8;  // of an inode

    // The kernel is about to hear of the inode under this name. Gives one that there is no room for
    // any more: the kernel must forget it.
    [[nodiscard]] std::optional<KernelName> looked_up(InodeId inode, KernelName name) {
        if (inode == kRootInode) return std::nullopt;
        return part_of(inode).with([&](Inodes& inodes) {
            Known& known = inodes[inode];
            ++known.lookups;
            return known.add(std::move(name));
        });
    }
    // The kernel itself gave the inode another name.
    [[nodiscard]] std::optional<KernelName> renamed(InodeId inode,
                                                    const KernelName& from,
                                                    KernelName to) {
        return part_of(inode).with([&](Inodes& inodes) -> std::optional<KernelName> {
            const auto found = inodes.find(inode);
            if (found == inodes.end()) return std::nullopt;
            std::erase(found->second.names, from);
            return found->second.add(std::move(to));
        });
    }
    // Names in these directories that the kernel may hold, of the inodes of one part.
    std::vector<KernelName> names_in(const std::set<InodeId>& directories, std::size_t part) {
        std::vector<KernelName> names;
        parts_.at(part).with([&](const Inodes& inodes) {
            for (const auto& [inode, known] : inodes) {
                std::copy_if(known.names.begin(),
                             known.names.end(),
                             std::back_inserter(names),
                             [&](const KernelName& n) { return directories.contains(n.parent); });
            }
        });
        return names;
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
        std::vector<KernelName> names;  // oldest first

        std::optional<KernelName> add(KernelName name) {
            if (std::find(names.begin(), names.end(), name) != names.end()) return std::nullopt;
            std::optional<KernelName> oldest;
            if (names.size() == kNamesMax) {
                oldest = std::move(names.front());
                names.erase(names.begin());
            }
            names.push_back(std::move(name));
            return oldest;
        }
    };
    using Inodes = std::unordered_map<InodeId, Known>;

    objstore::Guarded<Inodes>& part_of(InodeId inode) { return parts_[inode % kParts]; }

    std::array<objstore::Guarded<Inodes>, kParts> parts_;
};

}  // namespace fs
