#pragma once

#include <algorithm>
#include <cstring>

#include "tests/nfs/memory_names.h"

// A small file system in memory, with as much of POSIX as tests of the NFS front end look at.
// Threads: any.
class MemoryVfs final : public MemoryNames {
public:
    std::uint64_t verifier = 0x1234;
    fs::Stability stability_reached = fs::Stability::unstable;  // at least this

    Result<Change> setattr(const Who& who,
                           InodeId inode,
                           const fs::SetAttributes& changes,
                           fs::OpenFile*) override {
        const Guard guard(mutex_);
        TRY(failure);
        TRY_ASSIGN(Node * node, nodes_.find(inode));
        const Attributes before = node->attributes;
        if (who.uid != 0 && who.uid != before.uid) {
            return Status::permission_denied("not the owner", objstore::Why::not_permitted);
        }
        if (changes.guard_ctime && *changes.guard_ctime != before.ctime) {
            return Status::conflict("changed meanwhile", objstore::Why::precondition);
        }
        if (changes.size) TRY(check_size(*changes.size));
        nodes_.apply(*node, changes);
        return Change{before, node->attributes};
    }
    Result<std::uint32_t> access(const Who& who, InodeId inode, std::uint32_t wanted) override {
        const Guard guard(mutex_);
        TRY_ASSIGN(const Node* node, nodes_.find(inode));
        return MemoryNodes::granted(who, *node) & wanted;
    }
    Result<std::string> readlink(const Who&, InodeId inode) override {
        const Guard guard(mutex_);
        TRY_ASSIGN(const Node* node, nodes_.find(inode));
        if (node->attributes.type == objstore::FileType::symlink) return node->data;
        return Status::invalid_argument("not a symbolic link");
    }
    Result<fs::SpaceInfo> statfs(InodeId) override {
        return fs::SpaceInfo{.total_bytes = 1000, .free_bytes = 600, .files = 10, .files_free = 90};
    }
    Result<fs::DirectoryPage> read_directory(const Who& who,
                                             InodeId directory,
                                             std::uint64_t cookie,
                                             std::size_t limit) override {
        const Guard guard(mutex_);
        TRY(failure);
        TRY_ASSIGN(const Node* node, nodes_.find_directory(who, directory, fs::kMayRead));
        fs::DirectoryPage page;
        auto at = node->by_cookie.upper_bound(cookie);
        for (; at != node->by_cookie.end() && page.entries.size() < limit; ++at) {
            const Node& child = **nodes_.find(node->names.find(at->second)->second);
            page.entries.push_back({at->second, at->first, child.attributes});
        }
        page.end = at == node->by_cookie.end();
        return page;
    }
    Result<fs::ReadResult> read(const Who& who,
                                InodeId inode,
                                std::uint64_t offset,
                                fs::MutableBytes out) override {
        const Guard guard(mutex_);
        TRY(failure);
        TRY_ASSIGN(const Node* node, nodes_.find(inode));
        TRY(MemoryNodes::check(who, *node, fs::kMayRead));
        if (node->attributes.is_directory()) {
            return Status::conflict("directory", objstore::Why::is_directory);
        }
        const std::size_t from = std::min<std::size_t>(offset, node->data.size());
        const std::size_t size = std::min(out.size(), node->data.size() - from);
        if (size > 0) std::memcpy(out.data(), node->data.data() + from, size);
        return fs::ReadResult{size, from + size == node->data.size()};
    }
    std::optional<fs::ReadResult> try_read(const Who& who,
                                           InodeId inode,
                                           std::uint64_t offset,
                                           fs::MutableBytes out) override {
        const Guard guard(mutex_);
        if (cold.contains(inode)) return std::nullopt;
        const auto done = read(who, inode, offset, out);
        return done.ok() ? std::optional(*done) : std::nullopt;
    }
    Result<fs::WriteResult> write(const Who& who, WriteAt at, fs::Bytes bytes) override {
        const Guard guard(mutex_);
        TRY(failure);
        TRY_ASSIGN(Node * node, nodes_.find(at.inode));
        TRY(MemoryNodes::check(who, *node, fs::kMayWrite));
        TRY(check_size(at.offset + bytes.size()));
        const Attributes before = node->attributes;
        if (node->data.size() < at.offset + bytes.size())
            node->data.resize(at.offset + bytes.size());
        if (!bytes.empty()) std::memcpy(node->data.data() + at.offset, bytes.data(), bytes.size());
        node->attributes.size = node->data.size();
        nodes_.touch(*node);
        return fs::WriteResult{bytes.size(),
                               at.offset,
                               std::max(at.stability, stability_reached),
                               Change{before, node->attributes}};
    }
    Result<Change> commit(const Who&, InodeId inode) override {
        TRY_ASSIGN(const auto attributes, getattr(inode));
        return Change{attributes, attributes};
    }
    std::uint64_t write_verifier() const override { return verifier; }
};
