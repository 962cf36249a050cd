#pragma once

#include <map>
#include <string>
#include <string_view>

#include "fs/vfs/types.h"

// The inodes of MemoryVfs and what POSIX says of them. Threads: one at a time.
class MemoryNodes final {
public:
    using Attributes = fs::Attributes;
    using InodeId = objstore::InodeId;
    using Status = objstore::Status;
    template <typename T>
    using Result = objstore::Result<T>;

    struct Node {
        Attributes attributes;
        std::string data;  // or a symbolic link's target
        std::map<std::string, InodeId, std::less<>> names;
        std::map<std::uint64_t, std::string> by_cookie;
        std::uint64_t create_verifier = 0;
    };

    MemoryNodes() {
        Node& root = nodes_[objstore::kRootInode];
        root.attributes = {.inode = objstore::kRootInode};
        root.attributes.type = objstore::FileType::directory;
        root.attributes.mode = 0755;
        root.attributes.nlink = 2;
        touch(root);
    }

    Result<Node*> find(InodeId inode) {
        const auto found = nodes_.find(inode);
        if (found == nodes_.end()) return Status::not_found("no such inode", objstore::Why::stale);
        return &found->second;
    }
    Result<Node*> find_directory(const fs::Credentials& who, InodeId inode, std::uint32_t needed) {
        TRY_ASSIGN(Node * node, find(inode));
        if (!node->attributes.is_directory()) {
            return Status::conflict("not a directory", objstore::Why::not_directory);
        }
        TRY(check(who, *node, needed));
        return node;
    }
    static std::uint32_t granted(const fs::Credentials& who, const Node& node) {
        const Attributes& attributes = node.attributes;
        if (who.uid == 0) return 7;
        if (who.uid == attributes.uid) return attributes.mode >> 6 & 7;
        const bool in_group = who.gid == attributes.gid ||
                              std::ranges::find(who.groups, attributes.gid) != who.groups.end();
        return (in_group ? attributes.mode >> 3 : attributes.mode) & 7;
    }
    static Status check(const fs::Credentials& who, const Node& node, std::uint32_t needed) {
        if ((granted(who, node) & needed) == needed) return {};
        return Status::permission_denied("by its mode");
    }
    static Status check_name(std::string_view name) {
        const bool bad = name.empty() || name == "." || name == ".." ||
                         name.find('/') != name.npos || name.find('\0') != name.npos;
        if (bad) return Status::invalid_argument("bad name");
        if (name.size() <= fs::kNameBytesMax) return {};
        return Status::invalid_argument("long name", objstore::Why::name_too_long);
    }

    Node& make(const fs::Credentials& who, objstore::FileType type, const Node& parent) {
        const InodeId inode = ++last_inode_;
        Node& node = nodes_[inode];
        node.attributes.inode = inode;
        node.attributes.type = type;
        node.attributes.bucket = parent.attributes.bucket == 0 ? inode : parent.attributes.bucket;
        node.attributes.uid = who.uid;
        node.attributes.gid = who.gid;
        if (type == objstore::FileType::directory) node.attributes.nlink = 1;
        touch(node);
        return node;
    }
    void attach(Node& parent, std::string_view name, Node& node) {
        parent.names.emplace(name, node.attributes.inode);
        parent.by_cookie.emplace(++last_cookie_, name);
        node.attributes.parent = parent.attributes.inode;
        ++node.attributes.nlink;
        if (node.attributes.is_directory()) ++parent.attributes.nlink;
        touch(parent);
        touch_change(node);
    }
    // Nothing is left of a node without names.
    void detach(Node& parent, std::string_view name, bool keep = false) {
        const auto found = parent.names.find(name);
        Node& node = nodes_.at(found->second);
        std::erase_if(parent.by_cookie, [&](const auto& item) { return item.second == name; });
        parent.names.erase(found);
        --node.attributes.nlink;
        if (node.attributes.is_directory()) --parent.attributes.nlink;
        touch(parent);
        touch_change(node);
        const std::uint32_t left = node.attributes.is_directory() ? 1 : 0;
        if (!keep && node.attributes.nlink == left) nodes_.erase(node.attributes.inode);
    }

    void apply(Node& node, const fs::SetAttributes& changes) {
        Attributes& attributes = node.attributes;
        if (changes.size) {
            node.data.resize(*changes.size);
            attributes.size = node.data.size();
            touch(node);
        }
        if (changes.mode) attributes.mode = *changes.mode;
        if (changes.uid) attributes.uid = *changes.uid;
        if (changes.gid) attributes.gid = *changes.gid;
        touch_change(node);
        if (changes.atime_now) attributes.atime = time_;
        if (changes.mtime_now) attributes.mtime = time_;
        if (changes.atime) attributes.atime = *changes.atime;
        if (changes.mtime) attributes.mtime = *changes.mtime;
    }
    void touch(Node& node) {
        touch_change(node);
        node.attributes.mtime = time_;
    }
    void touch_change(Node& node) {
        time_ += 1000;
        node.attributes.ctime = time_;
        ++node.attributes.change;
    }

private:
    std::map<InodeId, Node> nodes_;
    InodeId last_inode_ = objstore::kRootInode;
    std::uint64_t last_cookie_ = 0;
    objstore::UnixNanos time_ = 1'700'000'000'000'000'000;
};
